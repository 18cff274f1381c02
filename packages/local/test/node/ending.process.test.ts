// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startNode } from "../../src/node/agent.ts";
import { FakeApi } from "./fake-api.ts";
import {
  alive,
  container,
  ended,
  gone,
  isReady,
  printed,
  script,
  startHarness,
  statusOf,
  written,
} from "./node-harness.ts";

const told = script('trap "echo TERM; exit 0" TERM; echo "pid $$$$ shm $SHM"; while :; do sleep 60 & wait $!; done');
const stubborn = script('trap "" TERM; echo "pid $$$$"; while :; do sleep 1; done');

test("a deleted pod: preStop, TERM, last status, then the pod is gone from the API and the disk", async () => {
  const harness = await startHarness({ told });
  const { api, dir } = harness;
  const pod = api.addPod("p", { containers: [container("x", "told"), container("y", "told")] });
  const [, pid = "", shm = ""] = await printed(harness, pod, "x", /pid (\d+) shm (.*)/);
  await printed(harness, pod, "y", /pid/);
  await api.until("p", isReady);
  api.deletePod("p");
  const last = await api.until("p", (one) => one.status?.phase === "Succeeded");
  for (const name of ["x", "y"]) {
    expect(statusOf(last, name)).toMatchObject({ ready: false, state: { terminated: { exitCode: 0 } } });
  }
  await api.untilGone("p");
  expect(alive(pid)).toBe(false);
  await gone(shm);
  await gone(join(dir, "pods", pod.metadata.uid!));
});

test("a pod that ignores TERM ends after its grace period with exit code 137", async () => {
  const harness = await startHarness({ stubborn });
  const { api } = harness;
  const pod = api.addPod("p", { containers: [container("x", "stubborn")] });
  const [, pid = ""] = await printed(harness, pod, "x", /pid (\d+)/);
  api.deletePod("p", 2);
  const last = await api.until("p", (one) => one.status?.phase === "Failed");
  expect(statusOf(last, "x")?.state?.terminated?.exitCode).toBe(137);
  await api.untilGone("p");
  expect(alive(pid)).toBe(false);
});

test("a forced deletion shortens a grace period that runs", async () => {
  const harness = await startHarness({ stubborn });
  const { api } = harness;
  const pod = api.addPod("p", { containers: [container("x", "stubborn")] });
  const [, pid = ""] = await printed(harness, pod, "x", /pid (\d+)/);
  api.deletePod("p", 3000);
  api.deletePod("p", 0);
  await ended(pid);
});

test("a deletion waits for the hook, and then the pod ends", async () => {
  const harness = await startHarness({ told });
  const { api } = harness;
  const postStart = { exec: { command: ["sh", "-c", "echo $$ > hook; while ! test -e done; do sleep 0.02; done"] } };
  const pod = api.addPod("p", { containers: [container("x", "told", { lifecycle: { postStart } })] });
  const [, pid = ""] = await printed(harness, pod, "x", /pid (\d+)/);
  const folder = join(harness.dir, "pods", pod.metadata.uid!, "x", "0");
  const hook = await written(join(folder, "hook"));
  api.deletePod("p", 1);
  await new Promise((resolve) => setTimeout(resolve, 1500)); // longer than the grace period
  expect([alive(hook), alive(pid)]).toEqual([true, true]);
  writeFileSync(join(folder, "done"), "");
  await api.untilGone("p");
  expect(alive(pid)).toBe(false);
});

test("after stop there is no process and no file, whatever state the pods are in", async () => {
  const harness = await startHarness({ told, stubborn, crash: script("exit 1") });
  const { api, agent, dir } = harness;
  const hanging = { postStart: { exec: { command: ["sh", "-c", "echo $$ > hook; sleep 1000"] } } };
  const readinessProbe = { exec: { command: ["sh", "-c", "sleep 1000"] }, timeoutSeconds: 1000 };
  const p = api.addPod("p", {
    containers: [
      container("x", "told"),
      container("y", "stubborn"),
      container("z", "crash"),
      container("w", "nowhere"),
    ],
  });
  const q = api.addPod("q", { containers: [container("x", "told", { lifecycle: hanging })] });
  api.addPod("r", { containers: [container("x", "told", { readinessProbe })] });
  const [, x = "", shm = ""] = await printed(harness, p, "x", /pid (\d+) shm (.*)/);
  const [, y = ""] = await printed(harness, p, "y", /pid (\d+)/);
  const hook = await written(join(dir, "pods", q.metadata.uid!, "x", "0", "hook"));
  await agent.stop();
  expect([x, y, hook].map(alive)).toEqual([false, false, false]);
  expect(existsSync(dirname(shm))).toBe(false);
  expect(readdirSync(dir)).toEqual([]);
});

test("a process that left its group ends with the node too", async () => {
  const escape = script("setsid sh -c 'echo \"pid $$$$\"; exec sleep 1000' & exec sleep 1000");
  const harness = await startHarness({ escape });
  const pod = harness.api.addPod("p", { containers: [container("x", "escape")] });
  const [, pid = ""] = await printed(harness, pod, "x", /pid (\d+)/);
  await harness.agent.stop();
  await ended(pid);
});

test("containers end with a node that is killed; what they started and their shared memory, with the next node", async () => {
  const dir = mkdtempSync(join(tmpdir(), "hot-killed-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const flags = ["--conditions=@hot/source", join(import.meta.dirname, "node-process.ts"), dir];
  const node = spawn(process.execPath, flags, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(node.stdout.setEncoding("utf8"), "data")) as [string];
  const [pid = "", child = "", shm = ""] = line.trim().split(" ");
  expect([alive(pid), alive(child), existsSync(shm)]).toEqual([true, true, true]);
  node.kill("SIGKILL");
  await ended(pid);
  expect(readdirSync(join(dir, "pods"))).toHaveLength(1);
  const next = await startNode({ api: new FakeApi(), dir, catalogue: { images: {} } });
  await ended(child);
  expect(existsSync(shm)).toBe(false);
  expect(readdirSync(join(dir, "pods"))).toEqual([]);
  await next.stop();
});

test("what somebody else has put in the folder is let alone", async () => {
  const dir = mkdtempSync(join(tmpdir(), "hot-shared-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, "pods", "mine"), { recursive: true });
  const node = await startNode({ api: new FakeApi(), dir, catalogue: { images: {} } });
  await node.stop();
  expect(readdirSync(dir)).toEqual(["pods"]);
  expect(readdirSync(join(dir, "pods"))).toEqual(["mine"]);
});
