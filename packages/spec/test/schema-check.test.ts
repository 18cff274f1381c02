// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { sidecarContainerSchema } from "../src/core-schema.ts";
import { checkAgainstSchema, nearestName } from "../src/schema-check.ts";

const check = (value: unknown) => checkAgainstSchema(sidecarContainerSchema, value, "c");

describe("types", () => {
  it("names every wrong type with its path", () => {
    const { typeErrors } = check({
      name: 1,
      ports: [{ containerPort: "80" }],
      resources: { limits: { cpu: "abc" } },
      env: {},
    });
    expect(typeErrors.map(({ path }) => path)).toEqual([
      "c.name",
      "c.ports[0].containerPort",
      "c.resources.limits[cpu]",
      "c.env",
    ]);
  });

  it("takes null for unset", () => {
    expect(check({ name: "c", args: null, resources: null })).toEqual({ typeErrors: [], unknown: [] });
  });
});

describe("unknown fields", () => {
  it("come with the nearest known name of their level", () => {
    expect(check({ nmae: "c", env: [{ name: "A", vlaue: "1" }], lifecycle: { stopSignal: "X" } }).unknown).toEqual([
      { path: "c", field: "nmae", nearest: "name" },
      { path: "c.env[0]", field: "vlaue", nearest: "value" },
      { path: "c.lifecycle", field: "stopSignal" },
    ]);
  });

  it.each([
    ["imagepullpolicy", "imagePullPolicy"],
    ["imagePolicy", undefined],
    ["volumeMount", "volumeMounts"],
    ["readynessProbe", "readinessProbe"],
    ["zzz", undefined],
  ])("%s: %s", (name, expected) => {
    expect(
      nearestName(
        name,
        sidecarContainerSchema.fields.map((field) => field.name),
      ),
    ).toBe(expected);
  });
});
