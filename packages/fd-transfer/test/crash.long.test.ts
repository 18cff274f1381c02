// SPDX-License-Identifier: Apache-2.0
// Every kill of crash.process.test.ts and connections.process.test.ts between sibling PID namespaces, and as a user
// without rights.
import { describe, test } from "vitest";
import {
  NEW_SIDE,
  newSideDies,
  OLD_SIDE,
  OLD_SIDE_BEFORE_ALL_DESCRIPTORS_ARE_SENT,
  oldSideDies,
  oldSideDiesEarly,
} from "./fixtures/crash-hand-over.ts";
import { BYSTANDERS, CASES, diesAtTheDoor, diesLater } from "./fixtures/crash-later.ts";
import { BOUNDARIES, diesWhileConnectionsMove } from "./fixtures/crash-moves.ts";
import { canIsolate, SETTINGS } from "./fixtures/settings.ts";
import { twoAtATime } from "./fixtures/two-at-a-time.ts";

type Run = (setting: NodeJS.ProcessEnv) => Promise<void>;

const ALL: readonly (readonly [string, Run])[] = [
  ...NEW_SIDE.map((where): [string, Run] => [`the new side dies ${where}`, async (s) => newSideDies(where, s)]),
  ...OLD_SIDE.map((where): [string, Run] => [`the old side dies ${where}`, async (s) => oldSideDies(where, s)]),
  ...OLD_SIDE_BEFORE_ALL_DESCRIPTORS_ARE_SENT.map((where): [string, Run] => [
    `the old side dies ${where}`,
    async (s) => oldSideDiesEarly(where, s),
  ]),
  ...CASES.map(([name, one]): [string, Run] => [name, async (s) => diesLater(one, s)]),
  ...BYSTANDERS.map((where): [string, Run] => [`somebody dies ${where}`, async (s) => diesAtTheDoor(where, s)]),
  ...BOUNDARIES.map((one): [string, Run] => [
    `${one[0]} dies ${one[1]}`,
    async (s) => diesWhileConnectionsMove(one, s),
  ]),
];

describe.runIf(canIsolate).each(SETTINGS)("%s", (_name, setting) => {
  test.concurrent.each(ALL)(
    "%s",
    twoAtATime(async (_what: string, run: Run) => run(setting)),
  );
});
