// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { container, isReady, OBEDIENT, obeys, startHarness, states, statusOf } from "./node-harness.ts";

test("a missing image: the old container is down first, the other goes on; a revert starts at once", async () => {
  const harness = await startHarness({ a: OBEDIENT });
  const { api } = harness;
  api.addPod("p", { containers: [container("x", "a"), container("y", "a")] });
  const before = await api.until("p", isReady);
  await obeys(harness, before, "x");
  api.setImage("p", "x", "nowhere:v9");
  const failing = await api.until("p", (pod) => statusOf(pod, "x")?.state?.waiting?.reason === "ErrImagePull");
  expect(statusOf(failing, "x")).toMatchObject({
    image: "a",
    containerID: statusOf(before, "x")?.containerID,
    ready: false,
    started: false,
    restartCount: 0,
    lastState: { terminated: { exitCode: 0 } },
  });
  expect(statusOf(failing, "x")?.state?.waiting?.message).toBe(
    'failed to pull image "nowhere:v9": not found in the images catalogue, which has a; add "nowhere:v9" to it or correct the name',
  );
  expect(isReady(failing)).toBe(false);
  expect(failing.status?.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
    reason: "ContainersNotReady",
    message: "containers with unready status: [x]",
  });
  await api.until("p", (pod) => statusOf(pod, "x")?.state?.waiting?.reason === "ImagePullBackOff");
  api.setImage("p", "x", "a");
  const after = await api.until("p", isReady);
  expect(after.status?.conditions?.find(({ type }) => type === "Ready")).not.toHaveProperty("reason");
  expect(statusOf(after, "y")).toEqual(statusOf(before, "y"));
  expect(states(api, "p", "y", ({ ready, restartCount }) => `${ready} ${restartCount}`)).toEqual(["false 0", "true 0"]);
});

test("a pull that fails and one that takes its time", async () => {
  const { api } = await startHarness({
    broken: { ...OBEDIENT, pull: { error: "manifest unknown" } },
    slow: { ...OBEDIENT, pull: { seconds: 0.1 } },
  });
  api.addPod("p", { containers: [container("x", "broken"), container("y", "slow")] });
  const pod = await api.until("p", (one) => statusOf(one, "y")?.ready === true);
  expect(statusOf(pod, "x")?.state?.waiting).toEqual({
    reason: "ErrImagePull",
    message: 'failed to pull image "broken": manifest unknown',
  });
  expect(statusOf(pod, "x")).toMatchObject({ image: "broken", imageID: "", restartCount: 0 });
});
