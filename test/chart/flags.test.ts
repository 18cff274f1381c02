// SPDX-License-Identifier: Apache-2.0
// The application understands every flag that the chart gives it, and takes it as meant.
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../apps/webhook/src/config.ts";
import { container, helmIsThere, NAMESPACE, render, workload, type Values } from "./chart.ts";

function configOf(values: Values, name?: string): unknown {
  return parseConfig(container(workload(render(values), name)).args, { POD_NAMESPACE: NAMESPACE });
}

describe.skipIf(!helmIsThere)("flags", () => {
  test("defaults", () => {
    expect(configOf({})).toMatchObject({
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
    };
    const common = { healthPort: 1081, logLevel: "debug" };
    expect(configOf(values)).toMatchObject({ ...common, role: "webhook", port: 1443, failurePolicy: "Fail" });
    expect(configOf(values, "hot-controller")).toMatchObject({ ...common, role: "controller" });
  });

  test("the namespace is that of the pod", () => {
    expect(container(workload(render())).env).toContainEqual({
      name: "POD_NAMESPACE",
      valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } },
    });
  });
});
