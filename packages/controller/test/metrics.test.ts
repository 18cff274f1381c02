// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test } from "vitest";
import { SIDECAR_SETS } from "../src/act/write-status.ts";
import { injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster } from "./support/cluster.ts";
import type { PlannedEvent } from "../src/plan/events.ts";
import { observeUpgrades } from "../src/upgrade-metrics.ts";

let cluster: Cluster;
afterEach(() => cluster.stop());

const pod = injectedPod(sidecarSet({ image: "x:1" }));
const withPrefix = (prefix: string): string[] => [...cluster.metrics.keys()].filter((key) => key.startsWith(prefix));

test("a hot upgrade is counted once and its phases are timed", async () => {
  cluster = new Cluster([pod], sidecarSet({ image: "x:2" }));
  await cluster.start();
  await cluster.converge();
  expect(cluster.metrics.get("hot_upgrade_total done")).toBe(1);
  expect(withPrefix("hot_upgrade_duration_seconds")).toEqual([
    "hot_upgrade_duration_seconds migration done",
    "hot_upgrade_duration_seconds reset done",
    "hot_upgrade_duration_seconds whole done",
  ]);
  expect(cluster.metrics.get("hot_sidecarset_pods mesh updated")).toBe(1);
  expect(cluster.metrics.get("hot_workqueue_depth")).toBe(0);
  expect(cluster.metrics.get("hot_workqueue_adds_total")).toBeGreaterThan(1);
});

test("each of two pairs in a pod is counted and timed", () => {
  const seen: string[] = [];
  const upgrades = observeUpgrades(
    (name, labels, value) => void seen.push([name, ...Object.values(labels), value].join(" ")),
    () => now,
  );
  const { uid = "", resourceVersion = "" } = pod.metadata;
  let now = 0;
  const tell = (reason: PlannedEvent["reason"], pair: string): void =>
    upgrades({
      type: "Normal",
      reason,
      message: "",
      pod: { namespace: "ns1", name: "web-0", uid, resourceVersion },
      pair,
    });
  for (const pair of ["x", "y"]) tell("HotUpgradeStarted", pair);
  now = 1_000;
  tell("ContainerReset", "x");
  now = 3_000;
  tell("ContainerReset", "y");
  expect(seen.filter((one) => one.includes("whole"))).toEqual([
    "hot_upgrade_duration_seconds whole done 1",
    "hot_upgrade_duration_seconds whole done 3",
  ]);
});

test("an aborted one is another outcome, and what blocks a pod is named", async () => {
  cluster = new Cluster([pod], sidecarSet({ image: "x:2" }));
  cluster.fateOf = (image) => (image === "x:2" ? "pullError" : "runs");
  await cluster.start();
  await cluster.converge();
  expect(cluster.metrics.get("hot_upgrade_total aborted")).toBe(1);
  expect(cluster.metrics.has("hot_upgrade_total done")).toBe(false);
  expect(cluster.metrics.has("hot_upgrade_duration_seconds whole aborted")).toBe(true);
  expect(withPrefix("hot_blocked_pods mesh")).not.toEqual([]);
});

test("gauges of a SidecarSet that is deleted go, and all go with the end of the term", async () => {
  cluster = new Cluster([pod], sidecarSet({ image: "x:1" }));
  await cluster.start();
  await cluster.converge();
  expect(withPrefix("hot_sidecarset_pods")).toHaveLength(6);
  await cluster.api.delete(SIDECAR_SETS, "mesh");
  await cluster.settle(1000);
  expect(withPrefix("hot_sidecarset_pods")).toEqual([]);
  await cluster.stop();

  cluster = new Cluster([pod], sidecarSet({ image: "x:1" }));
  await cluster.start();
  await cluster.converge();
  expect(withPrefix("hot_sidecarset_pods")).toHaveLength(6);
  await cluster.stop();
  expect(withPrefix("hot_sidecarset_pods")).toEqual([]);
});
