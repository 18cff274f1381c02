// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { livingPid } from "../../tools/cluster/processes.ts";

const PROGRAM = `
#include <pthread.h>
#include <unistd.h>
static void *stay(void *nothing) { sleep(60); return nothing; }
int main(void) {
  pthread_t other;
  pthread_create(&other, 0, stay, 0);
  pthread_exit(0);
}`;

test("a process lives until its last thread has ended: until then nobody else can listen on its ports", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hot-threads-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [program, file] = [join(folder, "threads"), join(folder, "pid")];
  execFileSync("cc", ["-x", "c", "-", "-pthread", "-o", program], { input: PROGRAM });
  const child = spawn(program, { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  writeFileSync(file, String(child.pid));
  while (!readFileSync(`/proc/${child.pid}/status`, "utf8").includes("Z (zombie)")) await sleep(5);
  expect(livingPid(file)).toBe(child.pid);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(livingPid(file)).toBeUndefined();
});
