// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { loadNative } from "../../src/native/addon.ts";
import { closing, pair } from "./descriptors.ts";

const native = loadNative();

async function start(fd: number, mode: "echo" | "leave-open"): Promise<Worker> {
  const worker = new Worker(new URL("fixture/worker.ts", import.meta.url), {
    workerData: { fd, mode },
    execArgv: ["--conditions=@hot/source"],
  });
  const [message] = (await once(worker, "message")) as [string];
  expect(message).toBe("ready");
  return worker;
}

async function answer(fd: number): Promise<{ text: string; fds: number[] }> {
  for (;;) {
    const message = native.recv(fd, 1000);
    if (message !== null) return { text: message.data.toString(), fds: closing(message.fds) };
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("two workers use it at the same time, each on its own loop", async () => {
  const pairs = [pair(), pair()];
  const workers = await Promise.all(pairs.map(async ([, theirs]) => start(theirs, "echo")));
  for (const [index, [ours]] of pairs.entries()) native.send(ours, Buffer.from(`to ${index}`), [ours]);
  for (const [index, [ours]] of pairs.entries()) {
    const { text, fds } = await answer(ours);
    expect(text).toBe(`to ${index}`);
    expect(native.socketInfo(fds[0] ?? -1).cookie).toBe(native.socketInfo(ours).cookie);
    for (const fd of fds) native.close(fd); // another reference to our end: with it the worker would see no end
  }
  const ended = workers.map(async (worker) => once(worker, "exit"));
  for (const [ours] of pairs) native.close(ours);
  expect(await Promise.all(ended)).toEqual([[0], [0]]);
});

test("workers that are terminated while they watch take nothing down", async () => {
  const pairs = [pair(), pair(), pair(), pair()];
  const workers = await Promise.all(pairs.map(async ([, theirs]) => start(theirs, "echo")));
  // Each is at work at that moment: in a callback, in a call, or between the two.
  for (const [ours] of pairs) while (native.send(ours, Buffer.alloc(900), [])) continue;
  await Promise.all(workers.map(async (worker) => worker.terminate()));
  for (const [, theirs] of pairs) expect(native.isOpen(theirs)).toBe(true);
});

test("a worker that ends by itself with an open Poller and Word takes nothing down", async () => {
  const [, theirs] = pair();
  const worker = await start(theirs, "leave-open");
  expect(await once(worker, "exit")).toEqual([0]);
  expect(native.isOpen(theirs)).toBe(true);
});
