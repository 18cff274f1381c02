// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import {
  alive,
  container,
  isReady,
  OBEDIENT,
  obeys,
  output,
  printed,
  script,
  startHarness,
  states,
  statusOf,
} from "./node-harness.ts";

test("a change of image restarts that container and no other", async () => {
  const harness = await startHarness({ a: OBEDIENT, b: OBEDIENT });
  const { api } = harness;
  api.addPod("p", { containers: [container("x", "a"), container("y", "a")] });
  const before = await api.until("p", isReady);
  await obeys(harness, before, "x");
  expect(before.status).toMatchObject({ phase: "Running", observedGeneration: 1, hostIP: "127.0.0.1" });
  api.setImage("p", "x", "b");
  const after = await api.until("p", (pod) => isReady(pod) && statusOf(pod, "x")?.image === "b");
  expect(statusOf(after, "x")).toMatchObject({
    restartCount: 1,
    ready: true,
    started: true,
    lastState: { terminated: { exitCode: 0, reason: "Completed", containerID: statusOf(before, "x")?.containerID } },
  });
  expect(statusOf(after, "x")?.containerID).toMatch(/^local:\/\/[0-9a-f]{64}$/);
  expect(statusOf(after, "x")?.containerID).not.toBe(statusOf(before, "x")?.containerID);
  expect(statusOf(after, "x")?.imageID).not.toBe(statusOf(before, "x")?.imageID);
  expect(statusOf(after, "y")).toEqual(statusOf(before, "y"));
});

test("observedGeneration follows the change while the old container is still shown running", async () => {
  const { api } = await startHarness({ a: OBEDIENT, b: OBEDIENT });
  api.addPod("p", { containers: [container("x", "a")] });
  await api.until("p", isReady);
  api.setImage("p", "x", "b");
  const seen = await api.until("p", (pod) => pod.status?.observedGeneration === 2);
  expect(statusOf(seen, "x")).toMatchObject({ image: "a", ready: true, state: { running: {} } });
  expect(seen.status?.conditions?.map((one) => one.observedGeneration)).toEqual([2, 2, 2, 2, 2]);
  await api.until("p", (pod) => statusOf(pod, "x")?.image === "b");
});

test("with a readinessProbe the new instance is first reported not ready, then ready at once", async () => {
  const { api } = await startHarness({ a: OBEDIENT, b: OBEDIENT });
  const readinessProbe = { exec: { command: ["true"] }, periodSeconds: 1000 };
  api.addPod("p", { containers: [container("x", "a", { readinessProbe })] });
  await api.until("p", isReady);
  api.setImage("p", "x", "b");
  await api.until("p", (pod) => isReady(pod) && statusOf(pod, "x")?.image === "b");
  expect(states(api, "p", "x", ({ image, ready }) => `${image} ${ready}`)).toEqual([
    "a false", // no instance yet: the status names the wish
    "a true",
    "b false",
    "b true",
  ]);
});

test("two tags of one image: the same imageID, and the status names the first tag", async () => {
  const { api } = await startHarness({ a: { ...OBEDIENT, tags: ["a-again"] } });
  api.addPod("p", { containers: [container("x", "a")] });
  const before = await api.until("p", isReady);
  api.setImage("p", "x", "a-again");
  const after = await api.until("p", (pod) => statusOf(pod, "x")?.restartCount === 1);
  expect(statusOf(after, "x")).toMatchObject({ image: "a", imageID: statusOf(before, "x")?.imageID });
  expect(statusOf(after, "x")?.containerID).not.toBe(statusOf(before, "x")?.containerID);
});

test("a container that ignores TERM is killed after the grace period, with all that it started", async () => {
  const stubborn = script('trap "" TERM; sleep 1000 & echo pids $$$$ $!; while :; do sleep 1; done');
  const harness = await startHarness({ stubborn, b: OBEDIENT });
  const { api } = harness;
  const pod = api.addPod("p", { containers: [container("x", "stubborn")], terminationGracePeriodSeconds: 1 });
  const [, parent = "", child = ""] = await printed(harness, pod, "x", /pids (\d+) (\d+)/);
  api.setImage("p", "x", "b");
  const after = await api.until("p", (one) => statusOf(one, "x")?.image === "b");
  expect(statusOf(after, "x")?.lastState?.terminated).toMatchObject({ exitCode: 137, reason: "Error" });
  expect([alive(parent), alive(child)]).toEqual([false, false]);
});

test("preStop runs inside the old container, and ends before its TERM", async () => {
  const a = script(
    "echo begin; trap 'echo TERM after $(cat stopped); exit 3' TERM; while :; do sleep 60 & wait $!; done",
  );
  const harness = await startHarness({ a, b: OBEDIENT });
  const { api } = harness;
  const preStop = { exec: { command: ["sh", "-c", "echo preStop of $NAME > stopped"] } };
  const pod = api.addPod("p", { containers: [container("x", "a", { lifecycle: { preStop } })] });
  await printed(harness, pod, "x", /begin/);
  api.setImage("p", "x", "b");
  const after = await api.until("p", (one) => statusOf(one, "x")?.image === "b");
  expect(statusOf(after, "x")?.lastState?.terminated?.exitCode).toBe(3);
  expect(output(harness, pod, "x")).toBe("begin\nTERM after preStop of x\n");
});
