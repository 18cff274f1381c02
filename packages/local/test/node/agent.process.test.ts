// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { container, isReady, OBEDIENT, startHarness, statusOf } from "./node-harness.ts";

test("a pod of two containers runs and is ready, and its image changes in place", async () => {
  const { api } = await startHarness({ a: OBEDIENT, b: OBEDIENT });
  api.addPod("p", { containers: [container("x", "a"), container("y", "a")] });
  const before = await api.until("p", isReady);
  expect(before.status).toMatchObject({ phase: "Running", observedGeneration: 1, hostIP: "127.0.0.1" });
  api.setImage("p", "x", "b");
  const after = await api.until("p", (pod) => isReady(pod) && statusOf(pod, "x")?.image === "b");
  expect(statusOf(after, "x")).toMatchObject({
    restartCount: 1,
    ready: true,
    lastState: { terminated: { exitCode: 0, reason: "Completed" } },
  });
  expect(statusOf(after, "x")?.containerID).not.toBe(statusOf(before, "x")?.containerID);
  expect(statusOf(after, "y")).toEqual(statusOf(before, "y"));
});
