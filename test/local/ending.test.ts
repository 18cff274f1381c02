// SPDX-License-Identifier: Apache-2.0
// However the demo or a part of it ends: no process, no socket and no file is left.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiError } from "@hot/kube";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SIDECAR_SETS } from "../../apps/demo/src/fleet.ts";
import { demoImages, program, root } from "../../apps/demo/src/images.ts";
import { samples } from "../../apps/demo/src/manifests.ts";
import { startPlatform } from "../../apps/demo/src/platform.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hot-ending-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Processes whose command line or environment names our folder. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue;
    const texts = [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`].map((file) =>
      readFile(file, "utf8").catch(() => ""),
    );
    if ((await Promise.all(texts)).some((text) => text.includes(folder))) found.push(`${pid} ${await texts[0]}`);
  }
  return found;
}

/** The pods' shared memory that a process has made. */
const sharedMemory = async (pid: number | undefined): Promise<string[]> =>
  (await readdir("/dev/shm")).filter((name) => name.startsWith(`hot.${pid}.`));

test.each(["SIGINT", "SIGTERM"] as const)("%s in the middle of an upgrade", async (signal) => {
  const [command = "", ...words] = program("demo", "main");
  const demo = spawn(command, words, {
    cwd: root,
    env: { ...process.env, TMPDIR: dir },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const upgrading = new Promise<void>((resolve) => {
    for (const stream of [demo.stdout, demo.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (output.includes("v1 -> v2")) resolve();
      });
    }
  });
  await Promise.race([upgrading, once(demo, "exit")]);
  expect(output).toContain("v1 -> v2");
  expect(await sharedMemory(demo.pid)).not.toEqual([]);
  demo.kill(signal);
  const [code] = (await once(demo, "exit")) as [number | null];
  expect(code).toBe(130);
  expect(await readdir(dir)).toEqual([]);
  expect(await processesOf(dir)).toEqual([]);
  expect(await sharedMemory(demo.pid)).toEqual([]);
});

test("the webhook application dies: the platform says so, and the API refuses what it cannot check", async () => {
  const platform = await startPlatform({ dir, images: demoImages() });
  try {
    const pid = (await processesOf(dir)).find((line) => line.includes("--health-port"))?.split(" ")[0];
    process.kill(Number(pid), "SIGKILL");
    await expect(platform.failed).rejects.toThrow(/webhook application ended.*webhook\.log/);
    const { sidecarSet } = await samples();
    const refusal = await platform.api.create(SIDECAR_SETS, sidecarSet).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ApiError);
    expect((refusal as ApiError).message).toContain("failed calling webhook");
  } finally {
    await platform.stop();
  }
  expect(await processesOf(dir)).toEqual([]);
});
