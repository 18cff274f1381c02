// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { Participant } from "../src/participant.ts";
import { DEFAULT_TIMEOUTS } from "../src/protocol/limits.ts";
import type { Message } from "../src/protocol/message.ts";
import { secureDirectory } from "../src/directory.ts";
import { Scene } from "./fixtures/fixture-process.ts";

test("DRAINED of a drain that took longer than its field can say", async () => {
  await using scene = await Scene.open();
  secureDirectory(scene.dir);
  await using both = new AsyncDisposableStack();
  const serve = async (startedAt: bigint): Promise<Participant> => {
    const identity = {
      name: "x",
      dir: scene.dir,
      token: undefined,
      mode: "user" as const,
      rank: { version: 0n, startedAt },
    };
    const one = both.adopt(new Participant(identity, DEFAULT_TIMEOUTS), (it) => it.close());
    one.newSide.seek();
    await one.opened.promise;
    await one.application.ready(async () => undefined);
    return one;
  };
  const old = await serve(1n);
  const { newSide } = await serve(2n);
  while (old.oldSide.link?.state.phase !== "standby") await sleep(5);
  const heard = vi.spyOn(newSide.link!, "message");
  const sent = { connections: 3, moved: 2, closed: 1, reset: 0, resetBusy: 0, ms: 2 ** 33 };
  old.oldSide.reportDrained(sent);
  const drained = (): Message | undefined => heard.mock.calls.map(([message]) => message).find(isDrained);
  while (drained() === undefined) await sleep(5);
  expect(drained()).toMatchObject({ connections: 3, moved: 2, destroyed: 0, ms: 2 ** 32 - 1 });
});

const isDrained = ({ type }: Message): boolean => type === "DRAINED";
