// SPDX-License-Identifier: Apache-2.0
// pnpm bench descriptors: what it takes to pass many sockets from one process to another.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { HotHandoff } from "../../packages/fd-transfer/src/index.ts";
import { markdown } from "../handoff/accounting/table.ts";
import { passThrough } from "./addon.ts";

const COUNTS = [1, 250, 1_000, 10_000];
const RUNS = 30;
const local = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "hot-descriptors-"));

/** Minimum and median in milliseconds. */
function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const [least = 0, middle = 0] = [sorted[0], sorted[sorted.length >> 1]];
  return `${least.toFixed(2)} / ${middle.toFixed(2)}`;
}

/** The same system calls in C; null without a compiler. */
function compileFloor(): string | null {
  const program = join(folder, "floor");
  return spawnSync(process.env["CC"] ?? "cc", ["-O2", "-o", program, local("floor.c")]).status === 0 ? program : null;
}

function floor(program: string, count: number): number[] {
  const { stdout } = spawnSync(program, [String(count), String(RUNS)], { encoding: "utf8" });
  return stdout.trim().split("\n").map(Number);
}

/** HELLO until the new process holds every socket and has checked each: what `open()` takes. */
async function endToEnd(count: number): Promise<number[]> {
  const dir = join(folder, `${count}.hot`);
  const holder = spawn(process.execPath, ["--conditions=@hot/source", local("servers/holder.ts"), dir, String(count)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  const times: number[] = [];
  for (let run = -3; run < RUNS; run++) {
    const start = performance.now();
    const hot = await HotHandoff.open({ name: "many", dir, env: {} });
    if (hot.role !== "successor") throw new Error(`nobody passed anything on: ${hot.role}`);
    if (run >= 0) times.push(performance.now() - start); // the first ones compile
    await hot.close();
    await sleep(20);
  }
  holder.kill();
  await once(holder, "exit");
  return times;
}

const program = compileFloor();
const rows: Record<string, string>[] = [];
for (const count of COUNTS) {
  const inC = program === null ? "no compiler" : summary(floor(program, count));
  const addon = summary(Array.from({ length: RUNS }, () => passThrough(count)));
  rows.push({
    descriptors: count.toLocaleString("en"),
    C: inC,
    "the addon": addon,
    "HELLO to all held and checked": summary(await endToEnd(count)),
    load: loadavg()[0]?.toFixed(1) ?? "",
  });
}
rmSync(folder, { recursive: true });
process.stdout.write(`Milliseconds, minimum / median of ${RUNS}.\n\n`);
process.stdout.write(`${markdown(rows)}\n`);
