// SPDX-License-Identifier: Apache-2.0
import { ApiError, RESOURCES } from "@hot/kube";
import type { Condition, SidecarSetStatus } from "@hot/spec";
import { afterEach, expect, test } from "vitest";
import { createStatusPace } from "../../src/act/status-pace.ts";
import { injectedPod, sidecarSet } from "../support/builders.ts";
import { Cluster } from "../support/cluster.ts";

const ready = (status: "True" | "False", message = "", observedGeneration = 1): Condition => ({
  type: "Ready",
  status,
  reason: "RollingOut",
  message,
  observedGeneration,
  lastTransitionTime: "",
});
const status = (updatedPods: number, condition = ready("False", `${updatedPods} of 9`)) => ({
  matchedPods: 9,
  updatedPods,
  readyPods: 9,
  latestRevision: "a",
  observedGeneration: 1,
  conditions: [condition],
});

const stored = (status: Partial<SidecarSetStatus>, version = "1") => ({ status, version });

test("the first write goes out at once, the next ones half a second after each other, each SidecarSet by itself", () => {
  let now = 1000;
  const pace = createStatusPace(() => now);
  expect(pace.wait("mesh", stored({}), status(1))).toBe(0);
  pace.wrote("mesh");
  now = 1200;
  expect(pace.wait("mesh", stored(status(1)), status(2))).toBe(300);
  expect(pace.wait("log", stored(status(1)), status(2))).toBe(0);
  now = 1500;
  expect(pace.wait("mesh", stored(status(1)), status(2))).toBe(0);
  pace.wrote("mesh");
  pace.forget("mesh");
  expect(pace.wait("mesh", stored(status(1)), status(2))).toBe(0);
});

test.each([
  ["another verdict", status(2, ready("True"))],
  ["a verdict about a newer generation", status(2, ready("False", "", 2))],
  ["another condition", { ...status(2), conditions: [ready("False"), { ...ready("True"), type: "Stalled" }] }],
  ["another revision", { ...status(2), latestRevision: "b" }],
])("%s waits for nothing", (_what, after) => {
  const pace = createStatusPace(() => 1000);
  pace.wrote("mesh");
  expect(pace.wait("mesh", stored(status(1)), after)).toBe(0);
});

test("what has failed waits longer each time, whatever it says, until the SidecarSet is another one or it is written", () => {
  let now = 1000;
  const pace = createStatusPace(() => now);
  const wait = (version: string) => pace.wait("mesh", { ...stored(status(1)), version }, status(2, ready("True")));
  const waits = [1, 2, 3, 4, 5, 6, 7].map(() => {
    pace.failed("mesh", "7");
    return wait("7");
  });
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000]);
  expect(wait("8")).toBe(0);
  now += 8000;
  expect(wait("7")).toBe(0);
  pace.wrote("mesh");
  expect(wait("7")).toBe(0);
  pace.failed("mesh", "7");
  expect(wait("7")).toBe(500);
});

let cluster: Cluster;
afterEach(() => cluster?.stop());

test("of a burst of pods at most two statuses a second are written, and the last one is true", async () => {
  const v1 = sidecarSet({ image: "x:1" });
  cluster = new Cluster([injectedPod(v1)], v1);
  await cluster.start();
  await cluster.settle(1000);
  const writes = () =>
    cluster.api.calls.filter(({ verb, subresource }) => verb === "patch" && subresource === "status");
  const before = writes().length;
  const start = cluster.clock.now();
  const pod = injectedPod(v1);
  for (let i = 1; i <= 20; i++) {
    cluster.api.seed(RESOURCES.pods, { ...pod, metadata: { ...pod.metadata, name: `web-${i}`, uid: `uid-${i}` } });
    await cluster.settle(100);
  }
  expect(cluster.clock.now() - start).toBe(2000);
  expect(writes().length - before).toBeGreaterThanOrEqual(4);
  expect(writes().length - before).toBeLessThanOrEqual(5);
  await cluster.settle(500);
  expect((await cluster.sidecarSet()).status).toMatchObject({ matchedPods: 21, readyPods: 21 });
}, 20_000);

test.each([409, 422, 429, 500])(
  "a status that is answered with %i is not sent again for each event, and is written once it may be",
  async (code) => {
    const v1 = sidecarSet({ image: "x:1" });
    cluster = new Cluster([injectedPod(v1)], v1);
    const patch = cluster.api.patch.bind(cluster.api);
    let attempts = 0;
    let fails = true;
    cluster.api.patch = <T>(...call: Parameters<typeof patch>): Promise<T> => {
      if (call[0].plural === "sidecarsets") attempts++;
      return call[0].plural === "sidecarsets" && fails
        ? Promise.reject(new ApiError("patch", code, { message: "no" }))
        : patch<T>(...call);
    };
    await cluster.start();
    const pod = await cluster.pod();
    for (let i = 0; i < 200; i++) {
      cluster.api.seed(RESOURCES.pods, { ...pod, metadata: { ...pod.metadata, resourceVersion: String(2000 + i) } });
      await cluster.settle(50);
    }
    expect(attempts).toBeGreaterThan(3);
    expect(attempts).toBeLessThanOrEqual(20);
    fails = false;
    await cluster.settle(8_000);
    expect((await cluster.sidecarSet()).status).toMatchObject({ matchedPods: 1, readyPods: 1 });
  },
);
