// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadNative } from "../../src/native/addon.ts";
import { closing } from "./descriptors.ts";

const native = loadNative();

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

async function run(fixture: string, options: { limit?: number; args?: string[]; fd?: number } = {}): Promise<Ended> {
  const file = fileURLToPath(new URL(`fixture/${fixture}.ts`, import.meta.url));
  const args = ["--conditions=@hot/source", ...(options.args ?? []), file];
  const limit = options.limit === undefined ? "" : `ulimit -n ${options.limit}; `;
  const child = spawn("sh", ["-c", `${limit}exec "$0" "$@"`, process.execPath, ...args], {
    stdio: ["ignore", "pipe", "pipe", options.fd ?? "ignore"],
  });
  const [[code], out, err] = await Promise.all([
    once(child, "exit") as Promise<[number | null]>,
    text(child.stdout!),
    text(child.stderr!),
  ]);
  return { code, out, err };
}

test("compare-and-swap holds between processes: two count up one word and lose nothing", async () => {
  const fd = closing(native.createWord(0));
  const ended = await Promise.all([run("count-up", { fd }), run("count-up", { fd })]);
  expect(ended).toEqual([0, 1].map(() => ({ code: 0, out: "", err: "" })));
  expect(native.mapWord(fd).load()).toBe(40_000);
});

test("without room for them, some descriptors arrive, the loss is reported, and what came can be closed (K7)", async () => {
  const { code, out, err } = await run("few-descriptors", { limit: 64 });
  expect(err).toBe("");
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({ text: "many", some: true, controlTruncated: true, leaked: 0 });
});

test("an exception in a callback is an uncaught exception, and microtasks run", async () => {
  const { code, out, err } = await run("throwing-callback");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out.trim().split("\n").sort()).toEqual(["microtask", "out of the callback"]);
});

test("collected Pollers leave the loop, started ones live on", async () => {
  expect(await run("garbage", { args: ["--expose-gc"] })).toEqual({ code: 0, out: "event", err: "" });
});
