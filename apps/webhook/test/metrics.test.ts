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
