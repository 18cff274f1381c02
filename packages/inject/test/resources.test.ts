// SPDX-License-Identifier: Apache-2.0
import type { Container, ResourcesPolicy } from "@hot/spec";
import { describe, expect, it } from "vitest";
import { resourcesOf, ResourcesPolicyError } from "../src/resources.ts";

const target = (name: string, limits: Record<string, string>, requests: Record<string, string> = {}): Container => ({
  name,
  resources: { limits, requests },
});
const targets = [target("a", { cpu: "200m", memory: "1Gi" }, { cpu: "100m" }), target("b", { cpu: "1" })];
const policy = (change: Partial<ResourcesPolicy>): ResourcesPolicy => ({
  targetContainersMode: "sum",
  targetContainersNameRegex: ".*",
  resourcesExpr: {},
  ...change,
});

describe("resourcesPolicy", () => {
  it("sums limits that all targets have, and leaves the others unset", () => {
    const limits = { cpu: "cpu*50%", memory: "1Gi" };
    expect(resourcesOf(policy({ resourcesExpr: { limits } }), targets)).toEqual({ limits: { cpu: "600m" } });
  });

  it("takes the maximum, where a missing request counts as 0", () => {
    const requests = { cpu: "cpu", memory: "memory + 1Mi" };
    const result = resourcesOf(policy({ targetContainersMode: "max", resourcesExpr: { requests } }), targets);
    expect(result).toEqual({ requests: { cpu: "100m", memory: "1Mi" } });
  });

  it("chooses by an unanchored regular expression", () => {
    const resourcesExpr = { limits: { memory: "memory/2" } };
    const result = resourcesOf(policy({ targetContainersNameRegex: "a", resourcesExpr }), targets);
    expect(result).toEqual({ limits: { memory: "512Mi" } });
  });

  it.each([
    [policy({ targetContainersNameRegex: "none" }), "NoResourceTarget"],
    [policy({ targetContainersNameRegex: "(?=a)" }), "NoResourceTarget"],
    [policy({ resourcesExpr: { limits: { cpu: "memory" } } }), "BadResourceExpression"],
    [policy({ resourcesExpr: { limits: { cpu: "cpu-9" } } }), "BadResourceExpression"],
    [
      policy({ targetContainersMode: "min" as never, resourcesExpr: { limits: { cpu: "1" } } }),
      "BadResourceExpression",
    ],
  ])("%o fails with a reason", (bad, reason) => {
    expect(() => resourcesOf(bad, targets)).toThrow(
      expect.objectContaining({ name: ResourcesPolicyError.name, reason }),
    );
  });

  it("lets a large pattern read some names, not the longest ones of a thousand containers", () => {
    const large = policy({ targetContainersNameRegex: "^(a?){500}$", resourcesExpr: { requests: { cpu: "cpu" } } });
    const many = Array.from({ length: 1000 }, (_, index) => target(`${"a".repeat(59)}${1000 + index}`, {}));
    expect(resourcesOf(large, [target("aaa", {}, { cpu: "1" }), ...many.slice(0, 5)])).toEqual({
      requests: { cpu: "1" },
    });
    expect(() => resourcesOf(large, many)).toThrow(/too large for so many containers$/);
  });

  it("refuses an amount of a pod that would take for ever to write out", () => {
    const hostile = [target("a", { cpu: "1e999999999" })];
    expect(() => resourcesOf(policy({ resourcesExpr: { limits: { cpu: "cpu" } } }), hostile)).toThrow(
      ResourcesPolicyError,
    );
  });
});
