// SPDX-License-Identifier: Apache-2.0
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What this program counts. Names are a contract; pod names are never labels. */
export interface Metrics {
  admission(labels: { kind: string; operation: string; allowed: boolean }, seconds: number): void;
  /** `result`: injected, skipped or denied; `reason`: of the registry. */
  injection(labels: { result: string; reason: string }): void;
  certificateExpiry(notAfter: Date): void;
  apiRequest(labels: { verb: string; code: string }): void;
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
  const requests = new Counter({
    name: "hot_api_requests_total",
    help: "Answers of the Kubernetes API.",
    labelNames: ["verb", "code"],
    registers,
  });
  return {
    admission: ({ kind, operation, allowed }, seconds) =>
      admission.observe({ kind, operation, allowed: String(allowed) }, seconds),
    injection: (labels) => injection.inc(labels),
    certificateExpiry: (notAfter) => expiry.set(notAfter.getTime() / 1000),
    apiRequest: (labels) => requests.inc(labels),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
