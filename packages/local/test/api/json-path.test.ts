// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { jsonPath } from "../../src/api/json-path.ts";

const object = {
  metadata: { name: "n", annotations: { "a.b/c": "x" } },
  status: {
    conditions: [
      { type: "Other", status: "no" },
      { type: "Ready", status: "yes" },
    ],
    list: [{ a: 1 }, { a: 2 }],
  },
};

test.each([
  [".metadata.name", "n"],
  [".status.list[1].a", 2],
  [".status.list[*].a", 1],
  [String.raw`.metadata.annotations['a.b/c']`, "x"],
  ['.status.conditions[?(@.type=="Ready")].status', "yes"],
  [".status.conditions[?(@.type=='Ready')].status", "yes"],
  [".status.nothing.here", undefined],
  [".constructor.name", undefined],
  ["metadata", undefined],
  [".status.list[?(@.a>1)]", undefined],
])("%s", (path, expected) => {
  expect(jsonPath(object, path)).toBe(expected);
});
