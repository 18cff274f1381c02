// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareQuantities, formatQuantity, parseQuantity, roundUpToMilli } from "../src/index.ts";

function canonical(text: string | number): string | undefined {
  const parsed = parseQuantity(text);
  return parsed && formatQuantity(parsed);
}

describe("canonical text", () => {
  it.each([
    ["0", "0"],
    ["1000m", "1"],
    ["0.5", "500m"],
    ["1.0", "1"],
    ["1.5Gi", "1536Mi"],
    ["1024Mi", "1Gi"],
    ["0.1Ki", "102400m"],
    ["1000k", "1M"],
    ["2.5Ki", "2560"],
    ["-1500m", "-1500m"],
    [" 1 ", "1"],
    [1.25, "1250m"],
    ["0Gi", "0"],
    ["1e4", "10e3"],
    ["1e-10", "1e-9"],
    ["99999999999999999999Gi", "9223372036854775807"],
  ])("%s becomes %s", (text, expected) => expect(canonical(text)).toBe(expected));

  it.each(["1.125", "1.500", "+5", "0100", "007m", "1E3", "2.125k", "01Ki", "010.500", "1028Ki", "5e-3", "1e0"])(
    "%s is kept as written, as Go does",
    (text) => expect(canonical(text)).toBe(text),
  );

  it.each(["", "abc", "1x", "1Mib", "1 k", "1e", "1ee3", "1.2.3", "--1", "0x10", "1e99999999999999999999"])(
    "%j is no quantity",
    (text) => expect(parseQuantity(text)).toBeUndefined(),
  );

  it("neither hangs nor grows on huge exponents and digits", () => {
    expect(canonical("1e-999999999")).toBe("1e-9");
    expect(canonical("1e999999999")).toBe("1e999999999");
    expect(parseQuantity("9".repeat(100_000))).toBeUndefined();
  });
});

describe("rounding to milli", () => {
  it.each([
    ["0.0001", "1m"],
    ["-0.0001", "-1m"],
    ["5e-4", "1e-3"],
    ["100n", "1m"],
    ["1.234567", "1235m"],
    ["1.125", "1.125"],
    ["1500u", "2m"],
  ])("%s becomes %s", (text, expected) => {
    const parsed = parseQuantity(text);
    expect(parsed && formatQuantity(roundUpToMilli(parsed))).toBe(expected);
  });
});

describe("comparison", () => {
  it.each([
    ["1Gi", "1G", 1],
    ["1000m", "1", 0],
    ["0", "-1", 1],
    ["-2", "-1", -1],
    ["999m", "1", -1],
    ["1e999999999", "1", 1],
    ["0", "0m", 0],
  ])("%s against %s", (a, b, expected) => {
    const [left, right] = [parseQuantity(a), parseQuantity(b)];
    expect(left && right && Math.sign(compareQuantities(left, right))).toBe(expected);
  });
});

describe("every quantity", () => {
  const digits = fc.stringMatching(/^\d{1,22}(\.\d{0,12})?$/);
  const suffix = fc.constantFrom("", "n", "u", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "e3", "E-4", "e7");

  it("keeps its value when it is written and read again, and its text from then on", () => {
    fc.assert(
      fc.property(fc.constantFrom("", "-", "+"), digits, suffix, (sign, number, unit) => {
        const parsed = parseQuantity(sign + number + unit)!;
        const limit = parseQuantity("1000E")!;
        // Beyond E, Go's decimal form loses the scale; such a value is no quantity that anybody has.
        fc.pre(
          compareQuantities(parsed, limit) < 0 &&
            compareQuantities(parsed, { ...limit, mantissa: -limit.mantissa }) > 0,
        );
        const text = formatQuantity(parsed);
        const again = parseQuantity(text)!;
        expect(compareQuantities(again, parsed)).toBe(0);
        expect(formatQuantity(again)).toBe(text);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it("is never lowered by rounding to milli, and raised by less than one", () => {
    fc.assert(
      fc.property(digits, suffix, (number, unit) => {
        const parsed = parseQuantity(number + unit)!;
        const rounded = roundUpToMilli(parsed);
        const above = { mantissa: rounded.mantissa - 1n, scale: rounded.scale, format: rounded.format };
        expect(compareQuantities(rounded, parsed)).toBeGreaterThanOrEqual(0);
        if (rounded !== parsed && parsed.mantissa !== 0n) expect(compareQuantities(above, parsed)).toBeLessThan(0);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});
