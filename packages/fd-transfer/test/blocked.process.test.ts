// SPDX-License-Identifier: Apache-2.0
// An event loop that stands still for seconds at a decisive moment; blocked.long.test.ts has the others.
import { expect, test } from "vitest";
import type { Blocked } from "./fixtures/blocked.ts";
import { upgradeWhileBlocked } from "./fixtures/blocked.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { Load } from "./fixtures/load.ts";
import { twoAtATime } from "./fixtures/two-at-a-time.ts";

const DECISIVE: readonly Blocked[] = [
  ["old", "before-send COMMITTED"],
  ["new", "before-handle COMMITTED"],
];

test.concurrent.each(DECISIVE)(
  "the %s side stands still %s: nothing fails, the new one owns, and the next one after it",
  twoAtATime(async (...blocked: Blocked) => upgradeWhileBlocked(blocked)),
);

test.concurrent.each([
  ["old", "before-handle COMMIT", "v2"],
  ["new", "after-send ACCEPTING", "v1"],
  ["new", "after-send GUARD_OK", "v1"],
] as const)(
  "the %s side stands still %s: %s answers new connections meanwhile",
  twoAtATime(async (side: "old" | "new", where: string, healthy: string) => {
    await using scene = await Scene.open();
    const fault = { FAULT: `BLOCK ${where} 5000` };
    const first = await scene.ready("v1", side === "old" ? fault : {});
    const second = scene.start("v2", side === "new" ? fault : {});
    const blocked = side === "old" ? first : second;
    await blocked.says("fault");
    const before = blocked.said.length;
    const load = new Load(scene.port, { keepAlive: 0, fresh: 3 });
    await load.answeredBy(healthy);
    // It has said nothing since, so it stood still all the time.
    expect(blocked.said.slice(before)).toEqual([]);
    await second.says("owner");
    expect((await load.stop()).failures).toEqual([]);
  }),
);
