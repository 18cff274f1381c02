// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { allReasonCodes, isReason, reasonCode } from "../src/index.ts";

describe("reason codes", () => {
  it("looks a reason up", () => {
    expect(reasonCode("MaxUnavailableReached")).toMatchObject({
      code: "HOT1203",
      reason: "MaxUnavailableReached",
      docs: "docs/errors.md#hot1203-maxunavailablereached",
    });
  });

  it("gives every reason a code of its own, and a CamelCase name that fits conditions and labels", () => {
    const codes = allReasonCodes();
    expect(new Set(codes.map((entry) => entry.code)).size).toBe(codes.length);
    for (const { code, reason } of codes) {
      expect(code).toMatch(/^HOT[1235]\d{3}$/);
      expect(reason).toMatch(/^[A-Z][A-Za-z]{2,63}$/);
    }
  });

  it("says what is the case and what to do in whole sentences", () => {
    for (const { sentence, fix } of allReasonCodes()) {
      expect(sentence).toMatch(/^\S.{10,}\.$/s);
      expect(fix).toMatch(/^[A-Z`].{5,}[.]$/s);
    }
  });

  it("names no command that kubectl does not have by itself", () => {
    const verbs = ["annotate", "delete", "describe", "get", "logs", "patch", "rollout"];
    const fixes = allReasonCodes().map(({ fix }) => fix);
    const named = [...fixes.join().matchAll(/`kubectl (\w+)/g)].map(([, verb]) => verb);
    expect(named.filter((verb = "") => !verbs.includes(verb))).toEqual([]);
    expect(new Set(named)).toEqual(new Set(verbs));
  });

  it("tells reasons from other texts, inherited names included", () => {
    expect(isReason("Paused")).toBe(true);
    expect(isReason("toString")).toBe(false);
  });
});
