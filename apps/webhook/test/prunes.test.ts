// SPDX-License-Identifier: Apache-2.0
import { sidecarSetCrd } from "@hot/spec";
import { expect, test } from "vitest";
import { prunesHotUpgrade, type Definition } from "../src/prunes.ts";

type Schema = NonNullable<NonNullable<NonNullable<Definition["spec"]>["versions"]>[0]["schema"]>["openAPIV3Schema"];

function definition(updateStrategy: NonNullable<Schema>, served = true): Definition {
  const openAPIV3Schema = { properties: { spec: { properties: { updateStrategy } } } };
  return { spec: { versions: [{ served, schema: { openAPIV3Schema } }] } };
}

const kruise = { properties: { paused: {}, partition: {} } };

test.each([
  ["of the chart", sidecarSetCrd() as Definition, false],
  ["of Kruise", definition(kruise), true],
  ["of Kruise, in a version that is not served", definition(kruise, false), false],
  ["that keeps unknown fields there", definition({ ...kruise, "x-kubernetes-preserve-unknown-fields": true }), false],
  ["without a schema", { spec: { versions: [{ served: true }] } }, true],
  ["without versions", {}, false],
])("a definition %s", (_, one, prunes) => {
  expect(prunesHotUpgrade(one)).toBe(prunes);
});
