// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { applyStrategicPatch } from "../../src/api/strategic-patch.ts";

const apply = (document: object, patch: object, kind = "Pod") =>
  applyStrategicPatch(document as Record<string, unknown>, patch as Record<string, unknown>, kind);
const container = (name: string, image: string, more: object = {}) => ({ name, image, ...more });

describe("lists with a merge key", () => {
  test.each<[string, object, object, object]>([
    [
      "containers by name",
      { containers: [container("a", "a:1"), container("b", "b:1")] },
      { containers: [{ name: "b", image: "b:2" }] },
      { containers: [container("a", "a:1"), container("b", "b:2")] },
    ],
    [
      "a new item goes to the end",
      { containers: [container("a", "a:1")] },
      { containers: [container("b", "b:1")] },
      { containers: [container("a", "a:1"), container("b", "b:1")] },
    ],
    [
      "env by name, nested",
      { containers: [container("a", "a:1", { env: [{ name: "X", value: "1" }] })] },
      { containers: [{ name: "a", env: [{ name: "Y", value: "2" }] }] },
      {
        containers: [
          container("a", "a:1", {
            env: [
              { name: "X", value: "1" },
              { name: "Y", value: "2" },
            ],
          }),
        ],
      },
    ],
    [
      "volumeMounts by mountPath",
      { volumeMounts: [{ name: "v", mountPath: "/a" }] },
      { volumeMounts: [{ name: "w", mountPath: "/a" }] },
      { volumeMounts: [{ name: "w", mountPath: "/a" }] },
    ],
    [
      "conditions by type",
      { conditions: [{ type: "A", status: "False" }] },
      {
        conditions: [
          { type: "B", status: "True" },
          { type: "A", status: "True" },
        ],
      },
      {
        conditions: [
          { type: "A", status: "True" },
          { type: "B", status: "True" },
        ],
      },
    ],
    [
      "container ports by containerPort",
      { ports: [{ containerPort: 80 }] },
      { ports: [{ containerPort: 80, name: "http" }] },
      { ports: [{ containerPort: 80, name: "http" }] },
    ],
    [
      "$patch: delete removes an item",
      { containers: [container("a", "a:1"), container("b", "b:1")] },
      { containers: [{ name: "a", $patch: "delete" }] },
      { containers: [container("b", "b:1")] },
    ],
    [
      "$patch: replace replaces the list",
      { containers: [container("a", "a:1")] },
      { containers: [container("b", "b:1"), { $patch: "replace" }] },
      { containers: [container("b", "b:1")] },
    ],
  ])("%s", (_what, document, patch, expected) => {
    expect(apply(document, patch)).toEqual(expected);
  });

  test("a Service's ports merge by port", () => {
    expect(
      apply({ ports: [{ port: 80, targetPort: 1 }] }, { ports: [{ port: 80, targetPort: 2 }] }, "Service"),
    ).toEqual({ ports: [{ port: 80, targetPort: 2 }] });
  });

  test("an item without its key is refused", () => {
    expect(() => apply({ containers: [] }, { containers: [{ image: "x" }] })).toThrow("merge key: name");
  });
});

test.each<[string, object, object, object]>([
  [
    "lists without a merge key are replaced",
    { args: ["a"], tolerations: [{ key: "a" }] },
    { args: ["b"], tolerations: [{ key: "b" }] },
    { args: ["b"], tolerations: [{ key: "b" }] },
  ],
  [
    "container statuses are replaced as a whole",
    { containerStatuses: [{ name: "a" }, { name: "b" }] },
    { containerStatuses: [{ name: "a" }] },
    { containerStatuses: [{ name: "a" }] },
  ],
  ["null removes a field", { a: 1, b: { c: 1 } }, { a: null, b: { c: null } }, { b: {} }],
  ["finalizers merge as a set", { finalizers: ["a"] }, { finalizers: ["a", "b"] }, { finalizers: ["a", "b"] }],
  [
    "$deleteFromPrimitiveList takes values out",
    { finalizers: ["a", "b"] },
    { "$deleteFromPrimitiveList/finalizers": ["a"] },
    { finalizers: ["b"] },
  ],
  [
    "$patch: replace replaces an object",
    { spec: { a: 1, b: 2 } },
    { spec: { $patch: "replace", c: 3 } },
    { spec: { c: 3 } },
  ],
  [
    "$retainKeys drops the other fields of a union",
    { volumes: [{ name: "v", emptyDir: {} }] },
    { volumes: [{ name: "v", $retainKeys: ["name", "configMap"], configMap: { name: "c" } }] },
    { volumes: [{ name: "v", configMap: { name: "c" } }] },
  ],
])("%s", (_what, document, patch, expected) => {
  const before = structuredClone(document);
  expect(apply(document, patch)).toEqual(expected);
  expect(document).toEqual(before);
});

describe("$setElementOrder", () => {
  const order = (names: string[]) => names.map((name) => ({ name }));
  test.each<[string, string[], string[], string[], string[]]>([
    ["puts a new item where it is listed", ["a", "c"], ["b"], ["a", "b", "c"], ["a", "b", "c"]],
    ["moves items", ["a", "b"], [], ["b", "a"], ["b", "a"]],
    ["keeps what only the server has in its place", ["x", "a", "b"], ["c"], ["a", "b", "c"], ["x", "a", "b", "c"]],
  ])("%s", (_what, live, added, listed, expected) => {
    const patch = {
      "$setElementOrder/containers": order(listed),
      containers: added.map((name) => container(name, `${name}:1`)),
    };
    const { containers } = apply({ containers: live.map((name) => container(name, `${name}:1`)) }, patch);
    expect((containers as { name: string }[]).map(({ name }) => name)).toEqual(expected);
  });
});

test("hostile keys stay data", () => {
  const result = apply({}, JSON.parse('{"__proto__":{"a":1},"constructor":{"b":1}}') as object);
  expect(Object.keys(result)).toEqual(["__proto__", "constructor"]);
  expect(({} as Record<string, unknown>).a).toBeUndefined();
});
