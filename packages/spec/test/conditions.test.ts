// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { findCondition, setCondition, type Condition } from "../src/index.ts";

const then = "2026-01-01T00:00:00Z";
const now = "2026-01-02T00:00:00Z";
const ready: Condition = {
  type: "Ready",
  status: "False",
  observedGeneration: 1,
  lastTransitionTime: then,
  reason: "RollingOut",
  message: "1 of 2",
};
const paused: Condition = { ...ready, type: "Paused" };
const { lastTransitionTime: _, ...wanted } = ready;

describe("setting a condition", () => {
  it("appends a new one at the given time", () => {
    expect(setCondition([paused], wanted, now)).toEqual([paused, { ...ready, lastTransitionTime: now }]);
  });

  it("keeps the transition time while the status stays", () => {
    const next = setCondition([ready, paused], { ...wanted, message: "2 of 2", observedGeneration: 2 }, now);
    expect(next).toEqual([{ ...ready, message: "2 of 2", observedGeneration: 2 }, paused]);
  });

  it("takes the new time when the status changes", () => {
    expect(findCondition(setCondition([ready], { ...wanted, status: "True" }, now), "Ready")?.lastTransitionTime).toBe(
      now,
    );
  });

  it("returns the same list when nothing changes, and never changes the given one", () => {
    const conditions = Object.freeze([ready]);
    expect(setCondition(conditions, wanted, now)).toBe(conditions);
    expect(setCondition(conditions, { ...wanted, status: "True" }, now)).not.toBe(conditions);
  });
});
