// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateResourceExpr, nanoOf, ResourceExprError } from "../../src/index.ts";

const milli = (text: string, cpu: bigint): bigint =>
  nanoOf(evaluateResourceExpr(text, { cpu: { kind: "quantity", nano: cpu * 1_000_000n } })) / 1_000_000n;

describe("an expression of resourcesPolicy", () => {
  it.each([
    ["max(cpu*50%, 50m)", 200n, 100n],
    ["max(cpu*50%, 50m)", 50n, 50n],
    ["CPU + 1", 5n, 1005n],
    ["-(cpu-1)", 200n, 800n],
  ])("%s with %s milli is %s milli", (text, cpu, expected) => expect(milli(text, cpu)).toBe(expected));

  it.each([
    ["100X", "unknown unit"],
    ["cpu*cpu", "multiplies two quantities"],
    ["1/cpu", "divides by a quantity"],
    ["cpu/0", "divides by zero"],
    ["cpu-2", "negative"],
    ["memory", "no value"],
    ["constructor", "no value"],
    ["1e400", "too large"],
    ["cpu*1e30", "too large"],
    ["(".repeat(2000), "longer"],
    ["(".repeat(1000), "misses a value"],
  ])("%.20s is refused", (text, reason) => {
    expect(() => milli(text, 1000n)).toThrow(ResourceExprError);
    expect(() => milli(text, 1000n)).toThrow(reason);
  });

  it("adds and compares quantities exactly, however large they are", () => {
    const amount = fc.bigInt(0n, 2n ** 62n);
    fc.assert(
      fc.property(amount, amount, (a, b) => {
        const variables = { cpu: { kind: "quantity", nano: a }, memory: { kind: "quantity", nano: b } } as const;
        const nano = (text: string): bigint => nanoOf(evaluateResourceExpr(text, variables));
        expect(nano("cpu + memory")).toBe(a + b);
        expect(nano("max(cpu, memory)")).toBe(a > b ? a : b);
        expect(nano("cpu + memory - min(cpu, memory)")).toBe(a > b ? a : b);
      }),
      { numRuns: 1000, seed: 5 },
    );
  });

  it("gives a value or a ResourceExprError for every text", () => {
    const word = fc.constantFrom(
      "cpu",
      "memory",
      "max",
      "min",
      "(",
      ")",
      ",",
      "+",
      "-",
      "*",
      "/",
      "1",
      "50%",
      "1Gi",
      " ",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word, { maxLength: 12 }).map((words) => words.join("")),
        ),
        (text) => {
          try {
            expect(milli(text, 100n)).toBeGreaterThanOrEqual(0n);
          } catch (error) {
            expect(error).toBeInstanceOf(ResourceExprError);
          }
        },
      ),
      { numRuns: 2000, seed: 5 },
    );
  });
});
