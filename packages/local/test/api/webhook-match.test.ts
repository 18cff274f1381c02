// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { define } from "../../src/api/built-in-type.ts";
import { type Matchable, webhookVersion } from "../../src/api/webhook-match.ts";

const version = (name: string) => ({ name, columns: [], status: true });
const request = (more: Partial<Matchable> = {}): Matchable => ({
  operation: "CREATE",
  type: {
    ...define({ kind: "SidecarSet", plural: "sidecarsets", group: "apps.kruise.io", namespaced: false }),
    versions: [version("v1beta1"), version("v1alpha1")],
  },
  version: "v1alpha1",
  subresource: undefined,
  object: { apiVersion: "apps.kruise.io/v1alpha1", kind: "SidecarSet", metadata: { name: "m", labels: { a: "b" } } },
  oldObject: undefined,
  namespaceLabels: undefined,
  ...more,
});
const rule = (more: object = {}) => ({
  apiGroups: ["apps.kruise.io"],
  apiVersions: ["v1alpha1"],
  resources: ["sidecarsets"],
  operations: ["CREATE"],
  ...more,
});

test.each<[string, object, Partial<Matchable>, string | undefined]>([
  ["the rule names it", { rules: [rule()] }, {}, "v1alpha1"],
  ["another operation", { rules: [rule({ operations: ["UPDATE"] })] }, {}, undefined],
  ["any operation", { rules: [rule({ operations: ["*"] })] }, {}, "v1alpha1"],
  ["another group", { rules: [rule({ apiGroups: ["apps"] })] }, {}, undefined],
  ["another resource", { rules: [rule({ resources: ["pods"] })] }, {}, undefined],
  ["a subresource is not its resource", { rules: [rule()] }, { subresource: "status" }, undefined],
  [
    "a subresource by name",
    { rules: [rule({ resources: ["sidecarsets/status"] })] },
    { subresource: "status" },
    "v1alpha1",
  ],
  ["all subresources", { rules: [rule({ resources: ["sidecarsets/*"] })] }, { subresource: "status" }, "v1alpha1"],
  ["* has no subresources", { rules: [rule({ resources: ["*"] })] }, { subresource: "status" }, undefined],
  ["*/* has", { rules: [rule({ resources: ["*/*"] })] }, { subresource: "status" }, "v1alpha1"],
  ["scope Namespaced", { rules: [rule({ scope: "Namespaced" })] }, {}, undefined],
  ["scope Cluster", { rules: [rule({ scope: "Cluster" })] }, {}, "v1alpha1"],
  ["an equivalent version", { rules: [rule({ apiVersions: ["v1beta1"] })] }, {}, "v1beta1"],
  [
    "an equivalent version, but exactly",
    { matchPolicy: "Exact", rules: [rule({ apiVersions: ["v1beta1"] })] },
    {},
    undefined,
  ],
  ["the object's labels", { rules: [rule()], objectSelector: { matchLabels: { a: "b" } } }, {}, "v1alpha1"],
  ["other labels", { rules: [rule()], objectSelector: { matchLabels: { a: "c" } } }, {}, undefined],
  [
    "cluster-scoped objects pass a namespaceSelector",
    { rules: [rule()], namespaceSelector: { matchLabels: { x: "y" } } },
    {},
    "v1alpha1",
  ],
  [
    "the namespace's labels",
    { rules: [rule()], namespaceSelector: { matchLabels: { x: "y" } } },
    { namespaceLabels: { x: "z" } },
    undefined,
  ],
])("%s", (_what, webhook, more, expected) => {
  expect(webhookVersion(webhook as Record<string, unknown>, request(more))).toBe(expected);
});
