// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeClock } from "../src/testing/fake-clock.ts";
import { createWorkQueue } from "../src/work-queue.ts";

/** Takes what is waiting, without waiting. */
async function takeAll(queue: ReturnType<typeof createWorkQueue<string>>): Promise<string[]> {
  const taken: string[] = [];
  while (queue.depth > 0) taken.push((await queue.get())!);
  return taken;
}

describe("a queue", () => {
  test("gives keys in the order of adding, each once", async () => {
    const queue = createWorkQueue<string>();
    for (const key of ["b", "a", "b", "c", "a"]) queue.add(key);
    expect(await takeAll(queue)).toEqual(["b", "a", "c"]);
  });

  test("hands a key to one that waits for it", async () => {
    const queue = createWorkQueue<string>();
    const first = queue.get();
    const second = queue.get();
    queue.add("a");
    queue.add("b");
    expect([await first, await second]).toEqual(["a", "b"]);
  });

  test("gives a key that is added during its work again, but only after done", async () => {
    const queue = createWorkQueue<string>();
    queue.add("a");
    await queue.get();
    queue.add("a");
    queue.add("a");
    expect(queue.depth).toBe(0);
    queue.done("a");
    expect(await takeAll(queue)).toEqual(["a"]);
    queue.done("a");
    expect(queue.depth).toBe(0);
  });

  test("adds later, and of several times the earliest counts", async () => {
    const clock = createFakeClock();
    const queue = createWorkQueue<string>({ clock });
    queue.addAfter("a", 500);
    queue.addAfter("a", 100);
    queue.addAfter("a", 900);
    await clock.advance(99);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(await takeAll(queue)).toEqual(["a"]);
    queue.done("a");
    await clock.advance(1000);
    expect(queue.depth).toBe(0);
  });

  test("adds at once what is overdue since the clock was set forward, and does not wait for its timer", async () => {
    const clock = createFakeClock();
    let ahead = 0;
    const queue = createWorkQueue<string>({ clock: { ...clock, now: () => clock.now() + ahead } });
    queue.addAfter("a", 600_000);
    ahead = 3_600_000;
    queue.addAfter("a", 100);
    expect(await takeAll(queue)).toEqual(["a"]);
    expect(clock.pending).toBe(0);
  });

  test("adds at once for no delay", async () => {
    const queue = createWorkQueue<string>();
    queue.addAfter("a", 0);
    queue.addAfter("b", -5);
    expect(await takeAll(queue)).toEqual(["a", "b"]);
  });

  test("waits longer after each failure of a key, until it is forgotten", async () => {
    const clock = createFakeClock();
    const queue = createWorkQueue<string>({ clock, random: () => 0 });
    const delays: number[] = [];
    for (let attempt = 0; attempt < 12; attempt++) {
      const before = clock.now();
      queue.addRateLimited("a");
      while (queue.depth === 0) await clock.advance(50);
      delays.push(clock.now() - before);
      queue.done((await queue.get())!);
    }
    expect(delays.slice(0, 5)).toEqual([100, 200, 400, 800, 1600]);
    expect(delays.at(-1)).toBe(30_000);
    expect(queue.attempts("a")).toBe(12);
    queue.forget("a");
    queue.addRateLimited("a");
    await clock.advance(100);
    expect(queue.depth).toBe(1);
  });

  test("shut down: who waits gets undefined, nothing comes any more, timers are gone", async () => {
    const clock = createFakeClock();
    const queue = createWorkQueue<string>({ clock });
    const waiting = queue.get();
    queue.addAfter("late", 100);
    queue.shutDown();
    queue.add("a");
    queue.addAfter("b", 10);
    queue.addRateLimited("c");
    expect(await waiting).toBeUndefined();
    expect(await queue.get()).toBeUndefined();
    expect(clock.pending).toBe(0);
    expect(queue.depth).toBe(0);
  });

  test("shut down drops keys that wait, and those added during their work", async () => {
    const queue = createWorkQueue<string>();
    queue.add("a");
    queue.add("b");
    await queue.get();
    queue.add("a");
    queue.shutDown();
    queue.done("a");
    expect(await queue.get()).toBeUndefined();
  });

  test("reports depth, waiting time, additions and retries", async () => {
    const clock = createFakeClock();
    const seen: unknown[] = [];
    const queue = createWorkQueue<string>({
      clock,
      random: () => 0,
      metrics: {
        depth: (depth) => seen.push({ depth }),
        added: () => seen.push("added"),
        taken: (waited) => seen.push({ waited }),
        retried: () => seen.push("retried"),
      },
    });
    queue.add("a");
    queue.add("a");
    await clock.advance(70);
    await queue.get();
    queue.addRateLimited("b");
    expect(seen).toEqual(["added", { depth: 1 }, { depth: 0 }, { waited: 70 }, "retried"]);
  });
});

describe("whatever is done to a queue", () => {
  type Step = { do: "add" | "after" | "limited" | "take" | "done" | "time"; key: string; ms: number };
  const step: fc.Arbitrary<Step> = fc.record({
    do: fc.constantFrom("add", "after", "limited", "take", "done", "time"),
    key: fc.constantFrom("a", "b", "c"),
    ms: fc.integer({ min: 0, max: 300 }),
  });

  test("no key is worked on twice at a time, none waits twice, and none that was added last is lost", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = createFakeClock();
        const queue = createWorkQueue<string>({ clock });
        const working = new Set<string>();
        /** Keys whose last addition has not been followed by a take: they must come. */
        const owed = new Set<string>();
        const take = async (): Promise<void> => {
          const key = (await queue.get())!;
          expect(working.has(key)).toBe(false);
          working.add(key);
          owed.delete(key);
        };
        for (const { do: verb, key, ms } of steps) {
          if (verb === "take") {
            if (queue.depth > 0) await take();
          } else if (verb === "done") {
            if (working.delete(key)) queue.done(key);
          } else if (verb === "time") {
            await clock.advance(ms);
          } else {
            owed.add(key);
            if (verb === "add") queue.add(key);
            else if (verb === "after") queue.addAfter(key, ms);
            else queue.addRateLimited(key);
          }
          expect(queue.depth).toBeLessThanOrEqual(3);
        }
        await clock.advance(100_000);
        while (queue.depth > 0 || working.size > 0) {
          for (const key of working) queue.done(key);
          working.clear();
          await clock.advance(100_000);
          while (queue.depth > 0) await take();
        }
        expect([...owed]).toEqual([]);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  test("of all delays of a key that waits, the earliest decides", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 8 }), async (delays) => {
        const clock = createFakeClock();
        const queue = createWorkQueue<string>({ clock });
        for (const ms of delays) queue.addAfter("a", ms);
        await clock.advance(Math.min(...delays) - 1);
        expect(queue.depth).toBe(0);
        await clock.advance(1);
        expect(queue.depth).toBe(1);
      }),
    );
  });
});
