// SPDX-License-Identifier: Apache-2.0
import type { ReflectorHealth } from "@hot/kube";
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What this program counts. Names are a contract; pod names are never labels. */
export interface Metrics {
  admission(labels: { kind: string; operation: string; allowed: boolean }, seconds: number): void;
  /** `result`: injected, skipped or denied; `reason`: of the registry. */
  injection(labels: { result: string; reason: string }): void;
  certificateExpiry(notAfter: Date): void;
  /** Whether this replica's controller works. */
  leader(isLeader: boolean): void;
  apiRequest(labels: { verb: string; code: string }): void;
  /** Has the state of a reflector asked for at every scrape. */
  watch(resource: string, health: () => ReflectorHealth): void;
  /** What the controller reports, by name: adds to a counter, sets a gauge or removes it, observes in a histogram. */
  controller(name: string, labels: Readonly<Record<string, string>>, value: number | undefined): void;
  /** The exposition format of Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const admission = new Histogram({
    name: "hot_admission_duration_seconds",
    help: "Time to answer an admission review.",
    labelNames: ["kind", "operation", "allowed"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const injection = new Counter({
    name: "hot_injection_total",
    help: "SidecarSets considered for a pod, by result and reason.",
    labelNames: ["result", "reason"],
    registers,
  });
  const expiry = new Gauge({
    name: "hot_cert_expiry_timestamp_seconds",
    help: "When the serving certificate ends.",
    registers,
  });
  const leader = new Gauge({ name: "hot_leader", help: "1 if this replica's controller works.", registers });
  const requests = new Counter({
    name: "hot_api_requests_total",
    help: "Answers of the Kubernetes API.",
    labelNames: ["verb", "code"],
    registers,
  });
  const watches = watchMetrics(registry);
  const controller = controllerMetrics(registers);
  return {
    admission: ({ kind, operation, allowed }, seconds) =>
      admission.observe(
        { kind: known(KINDS, kind), operation: known(OPERATIONS, operation), allowed: String(allowed) },
        seconds,
      ),
    injection: (labels) => injection.inc(labels),
    certificateExpiry: (notAfter) => expiry.set(notAfter.getTime() / 1000),
    leader: (isLeader) => leader.set(isLeader ? 1 : 0),
    apiRequest: (labels) => requests.inc(labels),
    watch: (resource, health) => watches.set(resource, health),
    controller: (name, labels, value) => controller[name]?.(labels, value),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

const KINDS = ["Pod", "SidecarSet"];
const OPERATIONS = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/** Anyone who reaches the port can send a review, so its words must not become series without end. */
function known(words: readonly string[], word: string): string {
  return words.includes(word) ? word : "other";
}

/** Reads the reflectors when they are scraped; a restart that was never counted shows as 0. */
function watchMetrics(registry: Registry): Map<string, () => ReflectorHealth> {
  const watches = new Map<string, () => ReflectorHealth>();
  const restarts = new Counter({
    name: "hot_watch_restarts_total",
    help: "How often a list or watch began anew, by cause.",
    labelNames: ["resource", "cause"],
    registers: [],
    collect() {
      this.reset();
      for (const [resource, health] of watches) {
        for (const [cause, count] of Object.entries(health().restarts)) this.inc({ resource, cause }, count);
      }
    },
  });
  const lastEvent = new Gauge({
    name: "hot_watch_last_event_timestamp_seconds",
    help: "When the server of a watch was last heard.",
    labelNames: ["resource"],
    registers: [],
    collect() {
      for (const [resource, health] of watches) {
        const { lastEventAt } = health();
        if (lastEventAt !== undefined) this.set({ resource }, lastEventAt / 1000);
      }
    },
  });
  registry.registerMetric(restarts);
  registry.registerMetric(lastEvent);
  return watches;
}

const SHORT = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const LONG = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600];

type Observe = (labels: Readonly<Record<string, string>>, value: number | undefined) => void;

/** The controller's metrics; it knows names and labels, this program knows Prometheus. */
function controllerMetrics(registers: Registry[]): Record<string, Observe> {
  const counter = (name: string, help: string, labelNames: string[] = []): [string, Observe] => {
    const metric = new Counter({ name, help, labelNames, registers });
    return [name, (labels, value = 0) => metric.inc(labels, value)];
  };
  const gauge = (name: string, help: string, labelNames: string[] = []): [string, Observe] => {
    const metric = new Gauge({ name, help, labelNames, registers });
    return [name, (labels, value) => (value === undefined ? metric.remove(labels) : metric.set(labels, value))];
  };
  const histogram = (name: string, help: string, labelNames: string[] = [], buckets = SHORT): [string, Observe] => {
    const metric = new Histogram({ name, help, labelNames, buckets, registers });
    return [name, (labels, value = 0) => metric.observe(labels, value)];
  };
  return Object.fromEntries([
    counter("hot_reconcile_total", "Reconciles, by result.", ["result"]),
    histogram("hot_reconcile_duration_seconds", "Time of a reconcile."),
    gauge("hot_workqueue_depth", "SidecarSets that wait for a reconcile."),
    counter("hot_workqueue_adds_total", "SidecarSets that were put into the queue."),
    histogram("hot_workqueue_queue_duration_seconds", "Time that a SidecarSet waited in the queue."),
    counter("hot_workqueue_retries_total", "Reconciles that come again because one has failed."),
    gauge("hot_pod_writes_limit", "Writes of pods that may be under way at once."),
    histogram("hot_pod_writes_queue_duration_seconds", "Time that a planned write of a pod waited for its turn."),
    counter("hot_pod_writes_slowed_total", "How often writes of pods were slowed down, by cause.", ["cause"]),
    counter("hot_upgrade_total", "Hot upgrades of a pair of containers, by outcome.", ["outcome"]),
    histogram("hot_upgrade_duration_seconds", "Time of a hot upgrade, by phase.", ["phase", "outcome"], LONG),
    gauge("hot_sidecarset_pods", "Pods of a SidecarSet, by state.", ["name", "state"]),
    gauge("hot_blocked_pods", "Pods that are not up to date, by reason.", ["name", "reason"]),
  ]);
}
