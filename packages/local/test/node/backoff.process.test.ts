// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { Pod } from "@hot/spec";
import { createFakeClock } from "@hot/kube/testing";
import {
  container,
  eventually,
  isReady,
  OBEDIENT,
  obeys,
  script,
  startHarness,
  states,
  statusOf,
} from "./node-harness.ts";

const waits = (reason: string) => (pod: Pod) => statusOf(pod, "x")?.state?.waiting?.reason === reason;
const runs = (image: string, restartCount: number) => (pod: Pod) => {
  const status = statusOf(pod, "x");
  return status?.image === image && status.restartCount === restartCount && status.state?.running !== undefined;
};

test("the same image again in the same container: at once the first time, after 10 s the second", async () => {
  const clock = createFakeClock();
  const harness = await startHarness({ empty: OBEDIENT, v1: OBEDIENT, v2: OBEDIENT }, { clock });
  const { api, log } = harness;
  const pod = api.addPod("p", { containers: [container("x", "empty"), container("y", "v1")] });
  await api.until("p", isReady);
  for (const [i, image] of ["v1", "empty", "v2"].entries()) {
    api.setImage("p", "x", image);
    await api.until("p", runs(image, i + 1));
    await clock.advance(1_000);
  }
  expect(log.filter((line) => line.includes("CrashLoopBackOff"))).toEqual([]);

  await obeys(harness, pod, "x", 3);
  api.setImage("p", "x", "empty");
  const held = await api.until("p", waits("CrashLoopBackOff"));
  expect(statusOf(held, "x")).toMatchObject({ image: "v2", ready: false, lastState: { terminated: { exitCode: 0 } } });
  expect(statusOf(held, "y")?.ready).toBe(true);
  await clock.advance(9_000);
  expect(statusOf(api.pod("p"), "x")?.state?.waiting?.reason).toBe("CrashLoopBackOff");
  await clock.advance(1_000); // 10 s after v2 ended
  await api.until("p", runs("empty", 4));
});

test("a crash loop: the first restart is immediate, then 10 s, 20 s; another image starts at once", async () => {
  const clock = createFakeClock();
  const { api, log } = await startHarness({ bad: script("exit 3"), good: OBEDIENT }, { clock });
  api.addPod("p", { containers: [container("x", "bad"), container("y", "good")] });
  await logged(log, /back-off 10s/);
  await clock.advance(1_000);
  const first = await api.until("p", waits("CrashLoopBackOff"));
  expect(statusOf(first, "x")).toMatchObject({
    restartCount: 1,
    ready: false,
    lastState: { terminated: { exitCode: 3, reason: "Error" } },
  });
  expect(first.status?.phase).toBe("Running");

  await clock.advance(9_000);
  await api.until("p", (pod) => statusOf(pod, "x")?.restartCount === 2);
  await logged(log, /back-off 20s/);
  await clock.advance(19_000);
  expect(statusOf(api.pod("p"), "x")?.restartCount).toBe(2);
  await clock.advance(1_000);
  await api.until("p", (pod) => statusOf(pod, "x")?.restartCount === 3);

  await logged(log, /back-off 40s/);
  api.setImage("p", "x", "good");
  await api.until("p", runs("good", 4));
});

test("ErrImagePull and ImagePullBackOff alternate, and the pull is tried again after its back-off", async () => {
  const clock = createFakeClock();
  const { api, log } = await startHarness({ other: OBEDIENT }, { clock });
  api.addPod("p", { containers: [container("x", "gone:1")] });
  await logged(log, /ImagePullBackOff/);
  for (const reason of ["ImagePullBackOff", "ErrImagePull", "ImagePullBackOff"]) {
    await clock.advance(1_000);
    await api.until("p", waits(reason));
    await clock.advance(9_000);
  }
  expect(states(api, "p", "x", ({ state }) => state?.waiting?.reason ?? "")).toEqual([
    "ContainerCreating",
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImagePull",
    "ImagePullBackOff",
  ]);
});

/** Resolves when the node has said so. */
async function logged(log: readonly string[], pattern: RegExp): Promise<void> {
  await eventually(`log ${pattern}`, () => log.some((line) => pattern.test(line)));
}
