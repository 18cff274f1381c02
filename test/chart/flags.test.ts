// SPDX-License-Identifier: Apache-2.0
// The application understands every flag that the chart gives it, and takes it as meant.
import { describe, expect, test } from "vitest";
import { parseConfig, type Config } from "../../apps/webhook/src/config.ts";
import { container, helmIsThere, NAMESPACE, render, workload, type Values } from "./chart.ts";

const HOUR_MS = 3_600_000;

function configOf(values: Values, name?: string, kind?: string): unknown {
  return parseConfig(container(workload(render(values), name, kind)).args, { POD_NAMESPACE: NAMESPACE });
}

describe.skipIf(!helmIsThere)("flags", () => {
  test("defaults", () => {
    expect(configOf({})).toEqual({
      ...(parseConfig([], {}) as Config),
      command: "run",
      role: "all",
      port: 9443,
      healthPort: 8081,
      failurePolicy: "Ignore",
      logLevel: "info",
      namespace: NAMESPACE,
    });
  });

  test("each value arrives", () => {
    const values = {
      failurePolicy: "Fail",
      logLevel: "debug",
      ports: { webhook: 1443, health: 1081 },
      separateController: { enabled: true },
      certificates: { leafLifetime: "12h", authorityLifetime: "30d" },
      certManager: { enabled: true },
    };
    const common = { healthPort: 1081, logLevel: "debug" };
    expect(configOf(values)).toMatchObject({ ...common, role: "webhook", port: 1443, failurePolicy: "Fail" });
    expect(configOf(values)).toMatchObject({
      certDir: "/etc/hot/certs",
      lifetimes: { leafMs: 12 * HOUR_MS, authorityMs: 30 * 24 * HOUR_MS },
    });
    expect(configOf(values, "hot-controller")).toMatchObject({ ...common, role: "controller" });
  });

  test("the Job before an uninstall", () => {
    expect(configOf({}, "hot-uninstall", "Job")).toMatchObject({
      command: "uninstall",
      namespace: NAMESPACE,
      revertConversion: true,
    });
  });

  test("the namespace is that of the pod", () => {
    expect(container(workload(render())).env).toContainEqual({
      name: "POD_NAMESPACE",
      valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } },
    });
  });
});
