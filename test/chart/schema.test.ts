// SPDX-License-Identifier: Apache-2.0
// A wrong value is refused before anything is written, with the name of the value and what it has to be.
import { describe, expect, test } from "vitest";
import { helmIsThere, refusal, render } from "./chart.ts";

const cases: [name: string, values: Record<string, unknown>, message: RegExp][] = [
  ["an unknown value", { replicaCount: 2 }, /additional properties 'replicaCount' not allowed/],
  ["an unknown value in a group", { image: { name: "x" } }, /\/image.*additional properties 'name' not allowed/s],
  ["no replica", { replicas: 0 }, /\/replicas.*minimum: got 0, want 1/s],
  ["a number as text", { replicas: "2" }, /\/replicas.*got string, want integer/s],
  ["another failure policy", { failurePolicy: "ignore" }, /\/failurePolicy.*'Ignore', 'Fail'/s],
  ["another log level", { logLevel: "trace" }, /\/logLevel.*'debug', 'info', 'warn', 'error'/s],
  ["a port that is none", { ports: { health: 70000 } }, /\/ports\/health.*maximum/s],
  ["a repository with a tag of its own in capitals", { image: { repository: "Hot" } }, /\/image\/repository/],
  ["a digest that is none", { image: { digest: "sha256:abc" } }, /\/image\/digest/],
  ["a grace period that cuts requests off", { terminationGracePeriodSeconds: 5 }, /want 15/],
  ["a CIDR that is none", { networkPolicy: { webhookFrom: ["everywhere"] } }, /\/networkPolicy\/webhookFrom\/0/],
  ["a topology constraint without a key", { topologySpreadConstraints: [{}] }, /missing property 'topologyKey'/],
  ["one port for both", { ports: { webhook: 9000, health: 9000 } }, /ports\.webhook and ports\.health are both 9000/],
  ["a certificate of seconds", { certificates: { leafLifetime: "20s" } }, /leafLifetime is 20s.*at least 30s/],
  ["an authority that ends too soon", { certificates: { authorityLifetime: "27d" } }, /27d.*four times .*\(7d\)/],
  ["an unknown resource list", { resources: { limit: {} } }, /\/resources.*'limit' not allowed/s],
];

describe.skipIf(!helmIsThere)("values.schema.json", () => {
  test.each(cases)("refuses %s", (_, values, message) => {
    expect(refusal(values)).toMatch(message);
  });

  test("accepts lifetimes that fit each other", () => {
    expect(refusal({ certificates: { leafLifetime: "60s", authorityLifetime: "4m" } })).toBe("");
  });

  test("accepts what Helm gives to a chart inside another one", () => {
    expect(() => render({ global: { registry: "x" } })).not.toThrow();
  });
});
