// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { createMetrics } from "../src/metrics.ts";

test("a watch is read at every scrape, and never counted twice", async () => {
  const metrics = createMetrics();
  const restarts = { ended: 1, gone: 0, cut: 0, silent: 0, throttled: 0, refused: 0, malformed: 0, list: 2 };
  metrics.watch("pods", () => ({ lastEventAt: 1_700_000_000_500, restarts }));
  await metrics.text();
  restarts.ended = 3;
  const text = await metrics.text();
  expect(text).toContain('hot_watch_restarts_total{resource="pods",cause="ended"} 3');
  expect(text).toContain('hot_watch_restarts_total{resource="pods",cause="list"} 2');
  expect(text).toContain('hot_watch_last_event_timestamp_seconds{resource="pods"} 1700000000.5');
});

test("the controller's counters add, its gauges are set, and a metric that is not known does no harm", async () => {
  const metrics = createMetrics();
  metrics.controller("hot_reconcile_total", { result: "done" }, 1);
  metrics.controller("hot_reconcile_total", { result: "done" }, 1);
  metrics.controller("hot_blocked_pods", { name: "mesh", reason: "Paused" }, 5);
  metrics.controller("hot_blocked_pods", { name: "mesh", reason: "Paused" }, 2);
  metrics.controller("hot_not_known", {}, 1);
  const text = await metrics.text();
  expect(text).toContain('hot_reconcile_total{result="done"} 2');
  expect(text).toContain('hot_blocked_pods{name="mesh",reason="Paused"} 2');
});

test("a gauge of something that is gone is gone", async () => {
  const metrics = createMetrics();
  metrics.controller("hot_sidecarset_pods", { name: "mesh", state: "matched" }, 5);
  metrics.controller("hot_sidecarset_pods", { name: "other", state: "matched" }, 1);
  metrics.controller("hot_sidecarset_pods", { name: "mesh", state: "matched" }, undefined);
  const text = await metrics.text();
  expect(text).not.toContain("mesh");
  expect(text).toContain('hot_sidecarset_pods{name="other",state="matched"} 1');
});

test("times of the controller are histograms, and who leads is a gauge", async () => {
  const metrics = createMetrics();
  metrics.controller("hot_upgrade_duration_seconds", { phase: "whole", outcome: "done" }, 3);
  metrics.controller("hot_workqueue_queue_duration_seconds", {}, 0.02);
  metrics.leader(true);
  const text = await metrics.text();
  expect(text).toContain('hot_upgrade_duration_seconds_bucket{le="5",phase="whole",outcome="done"} 1');
  expect(text).toContain('hot_upgrade_duration_seconds_bucket{le="2",phase="whole",outcome="done"} 0');
  expect(text).toContain("hot_workqueue_queue_duration_seconds_sum 0.02");
  expect(text).toContain("\nhot_leader 1\n");
});

test("has every metric of the contract, before anything has happened", async () => {
  const text = await createMetrics().text();
  const names = [
    "reconcile_total reconcile_duration_seconds workqueue_depth workqueue_adds_total workqueue_queue_duration_seconds",
    "workqueue_retries_total watch_restarts_total watch_last_event_timestamp_seconds leader api_requests_total",
    "admission_duration_seconds injection_total cert_expiry_timestamp_seconds sidecarset_pods upgrade_duration_seconds",
    "upgrade_total blocked_pods",
  ].flatMap((line) => line.split(" "));
  for (const name of names) expect(text).toContain(`# TYPE hot_${name} `);
});

test("what a review calls itself makes no new series", async () => {
  const metrics = createMetrics();
  metrics.admission({ kind: "Pod", operation: "CREATE", allowed: true }, 0.1);
  for (let i = 0; i < 3; i++) metrics.admission({ kind: `K${i}`, operation: `O${i}`, allowed: true }, 0.1);
  const counts = (await metrics.text())
    .split("\n")
    .filter((line) => line.startsWith("hot_admission_duration_seconds_count"));
  expect(counts).toEqual([
    'hot_admission_duration_seconds_count{kind="Pod",operation="CREATE",allowed="true"} 1',
    'hot_admission_duration_seconds_count{kind="other",operation="other",allowed="true"} 3',
  ]);
});

test("the certificate's end is in seconds", async () => {
  const metrics = createMetrics();
  metrics.certificateExpiry(new Date("2026-01-09T03:04:05Z"));
  expect(await metrics.text()).toContain("hot_cert_expiry_timestamp_seconds 1767927845");
});
