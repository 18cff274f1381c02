// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { Annotated } from "../../src/plan/annotated.ts";

const TIMES = ["2030-01-01T00:00:00Z", "2030-01-01T00:00:01Z", "2031-12-31T23:59:59Z"];
const IDS = ["containerd://", "cri-o://"].flatMap((scheme) => ["a", "b"].map((one) => scheme + one.repeat(64)));
const PIECES = ["", "x", "x-", "{at:", ",", "2030-01-01T", "containerd://", "z".repeat(30)];
const PARTS = [...TIMES, ...IDS];

/** Texts of all pieces and parts beside each other, many of one shape, and many that are nearly of it. */
function* texts(): Generator<string> {
  for (const before of PIECES) {
    for (const first of PARTS) {
      for (const between of PIECES) for (const second of PARTS) yield before + first + between + second;
      yield before + first;
      yield first + before;
      yield before + first.slice(1);
      yield first.slice(0, -1) + before;
    }
  }
}

test("annotations are read as they were written, whatever others have in common with them", () => {
  let count = 0;
  for (const text of texts()) {
    const entries = [
      ["a", text],
      ["b", PARTS[count++ % PARTS.length] ?? ""],
    ] as const;
    expect(new Annotated(entries).annotations).toEqual(Object.fromEntries(entries));
  }
  expect(count).toBeGreaterThan(3_000);
});

test("the names of annotations and their order are their own", () => {
  const time = TIMES[0] ?? "";
  for (const keys of [["a"], ["b"], ["a", "b"], ["b", "a"], []]) {
    const entries = keys.map((key) => [key, time] as const);
    expect(Object.entries(new Annotated(entries).annotations)).toEqual(entries);
  }
});
