// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { runAll, RunnableError, type Runnable } from "../src/runnables.ts";

/** A part that notes its start and its end, and runs until it is stopped. */
function part(name: string, log: string[], more: Partial<Runnable> = {}): Runnable {
  return {
    name,
    run: (signal) => {
      log.push(`start ${name}`);
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          log.push(`stopping ${name}`);
          setImmediate(() => {
            log.push(`end ${name}`);
            resolve();
          });
        });
      });
    },
    ...more,
  };
}

describe("runAll", () => {
  test("starts in order and stops in reverse order, one after the other", async () => {
    const log: string[] = [];
    const abort = new AbortController();
    const done = runAll([part("cache", log), part("worker", log)], abort.signal);
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    await done;
    expect(log).toEqual([
      "start cache",
      "start worker",
      "stopping worker",
      "end worker",
      "stopping cache",
      "end cache",
    ]);
  });

  test("a part waits until the one before is ready", async () => {
    const log: string[] = [];
    const ready = Promise.withResolvers<void>();
    const abort = new AbortController();
    const done = runAll([part("cache", log, { ready: () => ready.promise }), part("worker", log)], abort.signal);
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual(["start cache"]);
    ready.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual(["start cache", "start worker"]);
    abort.abort();
    await done;
  });

  test("an abort while a part gets ready stops it and starts no other", async () => {
    const log: string[] = [];
    const abort = new AbortController();
    const done = runAll(
      [part("cache", log, { ready: () => new Promise(() => {}) }), part("worker", log)],
      abort.signal,
    );
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    await done;
    expect(log).toEqual(["start cache", "stopping cache", "end cache"]);
  });

  test.each<[string, Partial<Runnable>, RegExp]>([
    ["rejects", { run: () => Promise.reject(new Error("no port")) }, /worker has stopped: no port/],
    [
      "throws",
      {
        run: () => {
          throw new Error("no port");
        },
      },
      /worker has stopped: no port/,
    ],
    ["ends by itself", { run: () => Promise.resolve() }, /worker has stopped: it ended by itself/],
    ["does not get ready", { ready: () => Promise.reject(new Error("no sync")) }, /worker has stopped: no sync/],
  ])("a part that %s stops all others in reverse order", async (_, broken, message) => {
    const log: string[] = [];
    const parts = [part("a", log), part("b", log), part("worker", log, broken)];
    const error: unknown = await runAll(parts, new AbortController().signal).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(RunnableError);
    expect((error as Error).message).toMatch(message);
    expect(log.filter((line) => line.startsWith("end"))).toEqual(
      ["end worker", "end b", "end a"].filter((line) => log.includes(line)),
    );
    expect(log).toContain("end a");
    expect(log).toContain("end b");
  });

  test("the first failure is reported, not the ones that follow from stopping", async () => {
    const failing: Runnable = {
      name: "second",
      run: (signal) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("cut while stopping")))),
    };
    const broken: Runnable = { name: "first", run: () => Promise.reject(new Error("the cause")) };
    await expect(runAll([failing, broken], new AbortController().signal)).rejects.toThrow(
      /first has stopped: the cause/,
    );
  });

  test("starts nothing when it is aborted already", async () => {
    const log: string[] = [];
    await runAll([part("a", log)], AbortSignal.abort());
    expect(log).toEqual([]);
  });
});
