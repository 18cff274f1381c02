// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { CUSTOM_VERSION_LABEL, toV1Alpha1, toV1Beta1, type SidecarSetV1Alpha1 } from "../src/index.ts";

const alpha = (fields: object): SidecarSetV1Alpha1 => ({
  apiVersion: "apps.kruise.io/v1alpha1",
  kind: "SidecarSet",
  metadata: { name: "ss" },
  spec: {},
  ...fields,
});

describe("to v1beta1", () => {
  it("turns the namespace into a selector", () => {
    expect(toV1Beta1(alpha({ spec: { namespace: "shop" } })).spec).toEqual({
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } },
    });
  });

  it("moves the custom version from the label into the field", () => {
    const labels = { [CUSTOM_VERSION_LABEL]: "v7", team: "a" };
    const converted = toV1Beta1(alpha({ metadata: { name: "ss", labels } }));
    expect(converted.spec.customVersion).toBe("v7");
    expect(converted.metadata.labels).toEqual({ team: "a" });
    expect(labels).toHaveProperty([CUSTOM_VERSION_LABEL]);
  });
});

describe("there and back", () => {
  it("keeps everything but the namespace, unknown fields included", () => {
    const object = alpha({
      metadata: { name: "ss", labels: { [CUSTOM_VERSION_LABEL]: "v7" }, annotations: { a: "b" } },
      spec: { containers: [{ name: "c", newer: 1 }], updateStrategy: { hotUpgrade: { minReadySeconds: 1 } } },
      status: { matchedPods: 1, updatedPods: 1, readyPods: 1 },
    });
    expect(toV1Alpha1(toV1Beta1(object))).toEqual(object);
  });

  it("takes an object without spec", () => {
    expect(toV1Beta1({ metadata: { name: "ss" } } as never).spec).toEqual({});
  });
});
