// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sidecarContainerSchema } from "../src/core-schema.ts";
import { compareCodePoints, goJson, goString } from "../src/go-json.ts";

describe("strings as Go writes them", () => {
  it.each([
    ["<a>&b", String.raw`"\u003ca\u003e\u0026b"`],
    ['q"b\\', String.raw`"q\"b\\"`],
    ["\b\f\n\r\t\u0001", String.raw`"\b\f\n\r\t\u0001"`],
    ["\u2028\u2029", String.raw`"\u2028\u2029"`],
    ["\ud800x", '"\ufffdx"'],
    ["日本 😀 \u007f", '"日本 😀 \u007f"'],
  ])("%j", (text, expected) => expect(goString(text)).toBe(expected));
});

describe("map keys", () => {
  it("are ordered by code point, not by UTF-16 unit", () => {
    expect(["😀", "\uffee", "a"].sort(compareCodePoints)).toEqual(["a", "\uffee", "😀"]);
    expect(["ab", "a", "a"].sort(compareCodePoints)).toEqual(["a", "a", "ab"]);
  });

  it("are ordered as their lists of code points, halves of surrogate pairs included", () => {
    const unit = fc.constantFrom("a", "\uffee", "\ud83d", "\ud83e", "\ude00", "\ude01");
    const text = fc.array(unit, { maxLength: 4 }).map((units) => units.join(""));
    const points = (one: string) => Array.from(one, (character) => character.codePointAt(0)!);
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [left, right] = [points(a), points(b)];
        const at = left.findIndex((point, index) => point !== right[index]);
        const order = at < 0 ? left.length - right.length : left[at]! - (right[at] ?? -1);
        expect(Math.sign(compareCodePoints(a, b))).toBe(Math.sign(order));
      }),
      { numRuns: 2000, seed: 5 },
    );
  });
});

describe("structs", () => {
  const text = (container: unknown) => goJson({ list: sidecarContainerSchema }, [container]);
  const tail = `"resources":{},"upgradeStrategy":{},"shareVolumePolicy":{}`;

  it("write value structs always and drop unknown fields", () => {
    expect(text({ name: "c", newerField: 1 })).toBe(`[{"name":"c",${tail}}]`);
  });

  it("write a null element as a zero struct", () => {
    expect(text(null)).toBe(`[{"name":"",${tail}}]`);
  });

  it("omit zero values, but not those behind a pointer", () => {
    expect(text({ name: "c", tty: false, args: [], restartPolicy: "", securityContext: { runAsUser: 0 } })).toBe(
      `[{"name":"c","resources":{},"restartPolicy":"","securityContext":{"runAsUser":0},"upgradeStrategy":{},"shareVolumePolicy":{}}]`,
    );
  });

  it("ignore inherited members", () => {
    const polluted = Object.create({ image: "evil" }) as Record<string, unknown>;
    polluted["name"] = "c";
    expect(text(polluted)).toBe(`[{"name":"c",${tail}}]`);
  });
});
