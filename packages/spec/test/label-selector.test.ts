// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import {
  matchesSelector,
  selectorErrors,
  selectorIsEmpty,
  selectorsCanMeet,
  selectorsOverlap,
  type LabelSelector,
} from "../src/index.ts";

const term = (key: string, operator: string, ...values: string[]): LabelSelector =>
  ({ matchExpressions: [{ key, operator, ...(values.length > 0 ? { values } : {}) }] }) as LabelSelector;

describe("matching", () => {
  const labels = { app: "x", tier: "web" };
  it.each<[string, LabelSelector | undefined, boolean]>([
    ["no selector", undefined, false],
    ["an empty selector", {}, true],
    ["a label", { matchLabels: { app: "x" } }, true],
    ["another value", { matchLabels: { app: "y" } }, false],
    ["In", term("app", "In", "x", "y"), true],
    ["In without the key", term("zone", "In", "x"), false],
    ["NotIn without the key", term("zone", "NotIn", "x"), true],
    ["NotIn with the value", term("app", "NotIn", "x"), false],
    ["Exists", term("tier", "Exists"), true],
    ["DoesNotExist", term("tier", "DoesNotExist"), false],
    ["an inherited name", term("toString", "Exists"), false],
    ["an operator that is unknown", term("app", "Like", "x"), false],
    ["In without values", term("app", "In"), false],
  ])("%s", (_, selector, expected) => expect(matchesSelector(selector, labels)).toBe(expected));
});

describe("emptiness", () => {
  it.each<[LabelSelector | undefined, boolean]>([
    [undefined, true],
    [{}, true],
    [{ matchLabels: {}, matchExpressions: [] }, true],
    [{ matchLabels: { a: "" } }, false],
    [term("a", "Exists"), false],
  ])("%j: %s", (selector, expected) => expect(selectorIsEmpty(selector)).toBe(expected));
});

describe("errors", () => {
  it("name every term that can't be evaluated", () => {
    const selector = {
      matchLabels: { "bad key": "x" },
      matchExpressions: [
        { key: "a", operator: "In" },
        { key: "a", operator: "Exists", values: ["x"] },
        { key: "a", operator: "Foo" },
        { key: "a", operator: "NotIn", values: ["no spaces"] },
      ],
    } as LabelSelector;
    expect(selectorErrors(selector).map(({ path, type }) => `${path} ${type}`)).toEqual([
      "matchLabels Invalid",
      "matchExpressions[0].values Required",
      "matchExpressions[1].values Forbidden",
      "matchExpressions[2].operator Invalid",
      "matchExpressions[3].values[0] Invalid",
    ]);
  });
});

describe("two selectors", () => {
  it("meet exactly when some labels match both", () => {
    expect(selectorsCanMeet(term("a", "Exists"), { matchLabels: { b: "c" } })).toBe(true);
    expect(selectorsCanMeet(term("a", "DoesNotExist"), { matchLabels: { a: "c" } })).toBe(false);
    expect(selectorsCanMeet(term("a", "In", "1", "2"), term("a", "NotIn", "1"))).toBe(true);
    expect(selectorsCanMeet(term("a", "In", "1"), term("a", "NotIn", "1"))).toBe(false);
    expect(selectorsCanMeet(term("a", "NotIn", "1"), term("a", "NotIn", "2"))).toBe(true);
  });

  it("overlap by Kruise's rule, which takes Exists for disjoint from a selector without the key", () => {
    expect(selectorsOverlap(term("a", "Exists"), { matchLabels: { b: "c" } })).toBe(false);
    expect(selectorsOverlap({ matchLabels: { a: "1" } }, { matchLabels: { b: "1" } })).toBe(true);
  });
});
