// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { sidecarContainerSchema } from "../src/core-schema.ts";
import { sidecarSetCrd, type JsonSchema } from "../src/index.ts";

const crd = sidecarSetCrd();
const [alpha, beta] = crd.spec.versions;
const at = (schema: JsonSchema | undefined, ...path: string[]): JsonSchema | undefined =>
  path.reduce((inner, name) => (name === "[]" ? inner?.items : inner?.properties?.[name]), schema);
const spec = (version: typeof beta) => at(version?.schema.openAPIV3Schema, "spec");

describe("the CustomResourceDefinition", () => {
  it("is Kruise's shell: cluster scope, both versions served, v1beta1 stored, status subresource", () => {
    expect(crd.metadata.name).toBe("sidecarsets.apps.kruise.io");
    expect(crd.spec).toMatchObject({ group: "apps.kruise.io", scope: "Cluster", conversion: { strategy: "None" } });
    expect(crd.spec.versions.map(({ name, served, storage }) => [name, served, storage])).toEqual([
      ["v1alpha1", true, false],
      ["v1beta1", true, true],
    ]);
    for (const { subresources } of crd.spec.versions) expect(subresources).toEqual({ status: {} });
  });

  it("has the short name and the columns that people see", () => {
    expect(crd.spec).toMatchObject({ names: { shortNames: ["scs"] } });
    const shown = (beta?.additionalPrinterColumns ?? []) as { name: string; priority?: number }[];
    expect(shown.filter(({ priority }) => !priority).map(({ name }) => name)).toEqual([
      "MATCHED",
      "UPDATED",
      "READY",
      "STATUS",
      "AGE",
    ]);
  });

  it("differs between the versions only in namespace and customVersion", () => {
    const names = (version: typeof beta) => Object.keys(spec(version)?.properties ?? {});
    expect(names(alpha).filter((name) => !names(beta).includes(name))).toEqual(["namespace"]);
    expect(names(beta).filter((name) => !names(alpha).includes(name))).toEqual(["customVersion"]);
  });

  it("merges containers and volumes by name", () => {
    for (const list of ["containers", "initContainers", "volumes"]) {
      expect(at(spec(beta), list)).toMatchObject({
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        items: { required: ["name"], "x-kubernetes-preserve-unknown-fields": true },
      });
    }
  });

  it("merges the lists in which Kubernetes refuses duplicates, and no other", () => {
    const keys = (...path: string[]) => at(spec(beta), "containers", "[]", ...path)?.["x-kubernetes-list-map-keys"];
    expect(keys("volumeMounts")).toEqual(["mountPath"]);
    expect(keys("volumeDevices")).toEqual(["devicePath"]);
    expect([keys("env"), keys("ports"), keys("command")]).toEqual([undefined, undefined, undefined]);
  });

  it("has rules for what must hold even where the validating webhook does not run", () => {
    const codes = (schema: JsonSchema | undefined) =>
      ((schema?.["x-kubernetes-validations"] ?? []) as { message: string }[]).map(({ message }) => message.slice(-9));
    expect(codes(spec(beta))).toEqual(["(HOT3101)"]);
    expect(codes(at(spec(alpha), "containers", "[]", "upgradeStrategy"))).toEqual(["(HOT3201)", "(HOT3401)"]);
    // An API server refuses a CRD whose rules are applied to a list without a bound.
    expect(at(spec(beta), "containers")).toHaveProperty("maxItems");
  });

  it("names every field of the container table, with its type", () => {
    const container = at(spec(beta), "containers", "[]");
    expect(Object.keys(container?.properties ?? {})).toEqual(sidecarContainerSchema.fields.map(({ name }) => name));
    expect(at(container, "ports", "[]", "containerPort")).toEqual({ type: "integer", format: "int32" });
    expect(at(container, "readinessProbe", "httpGet", "port")).toEqual({ "x-kubernetes-int-or-string": true });
  });

  it("has no default for a hashed field but Kruise's own", () => {
    const found: string[] = [];
    const walk = (schema: JsonSchema, path: string): void => {
      if (schema["default"] !== undefined) found.push(path);
      for (const [name, inner] of Object.entries(schema.properties ?? {})) walk(inner, `${path}.${name}`);
      if (schema.items) walk(schema.items, `${path}[]`);
    };
    walk(spec(beta) ?? {}, "spec");
    expect(found).toEqual([
      "spec.initContainers[].resourcesPolicy.targetContainersNameRegex",
      "spec.containers[].resourcesPolicy.targetContainersNameRegex",
      "spec.injectionStrategy.revision.policy",
    ]);
  });

  it("names a conversion webhook when there is one", () => {
    const clientConfig = { service: { name: "hot", namespace: "hot-system", path: "/convert" } };
    expect(sidecarSetCrd({ conversion: clientConfig }).spec["conversion"]).toEqual({
      strategy: "Webhook",
      webhook: { clientConfig, conversionReviewVersions: ["v1"] },
    });
  });

  it("is a structural schema: every node has a type, or is open, or int-or-string", () => {
    const walk = (schema: JsonSchema, path: string): void => {
      const open = schema["x-kubernetes-preserve-unknown-fields"] ?? schema["x-kubernetes-int-or-string"];
      expect(schema.type ?? open, path).toBeDefined();
      for (const [name, inner] of Object.entries(schema.properties ?? {})) walk(inner, `${path}.${name}`);
      if (schema.items) walk(schema.items, `${path}[]`);
      if (schema.additionalProperties) walk(schema.additionalProperties, `${path}{}`);
    };
    for (const { schema } of crd.spec.versions) walk(schema.openAPIV3Schema, "");
  });
});
