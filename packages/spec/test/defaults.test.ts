// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  defaultSidecarSet,
  hotUpgradePolicy,
  sidecarSetHashes,
} from "../src/index.ts";

const defaulted = (spec: unknown, metadata: unknown = { name: "ss" }) =>
  defaultSidecarSet({ apiVersion: "apps.kruise.io/v1beta1", kind: "SidecarSet", metadata, spec }, "v1beta1");
const container = (fields: object) => defaulted({ containers: [{ name: "c", image: "img:1", ...fields }] });
const first = (fields: object) => container(fields).object.spec.containers?.[0];

describe("hash annotations", () => {
  it("are those of the defaulted object, whatever the client sent", () => {
    const { object } = defaulted(
      { containers: [{ name: "c", image: "img:1" }] },
      { name: "ss", annotations: { [HASH_ANNOTATION]: "stale", other: "kept" } },
    );
    const { hash, hashWithoutImage } = sidecarSetHashes(object);
    expect(object.metadata.annotations).toEqual({
      [HASH_ANNOTATION]: hash,
      [HASH_WITHOUT_IMAGE_ANNOTATION]: hashWithoutImage,
      other: "kept",
    });
  });

  it("do not depend on the hot upgrade policy, which is not written into the object", () => {
    const spec = { containers: [{ name: "c" }] };
    const policy = { updateStrategy: { hotUpgrade: { minReadySeconds: 3 } } };
    const [plain, tuned] = [defaulted(spec).object, defaulted({ ...spec, ...policy }).object];
    expect(tuned.metadata.annotations).toEqual(plain.metadata.annotations);
    expect(plain.spec.updateStrategy).not.toHaveProperty("hotUpgrade");
    expect(tuned.spec.updateStrategy?.hotUpgrade).toEqual({ minReadySeconds: 3 });
  });

  it("are left out of an object that can't be hashed, for validation to name every fault", () => {
    expect(container({ ports: "none" }).object.metadata.annotations).toEqual({});
  });
});

describe("the empty image beside upgradeStrategy", () => {
  const article = { upgradeStrategy: { upgradeType: "HotUpgrade" }, hotUpgradeEmptyImage: "empty:1" };

  it("is moved into it, with a warning, and hashes as if it had been written there", () => {
    const { object, warnings } = container(article);
    expect(object.spec.containers?.[0]?.upgradeStrategy).toEqual({
      upgradeType: "HotUpgrade",
      hotUpgradeEmptyImage: "empty:1",
    });
    expect(object.spec.containers?.[0]).not.toHaveProperty("hotUpgradeEmptyImage");
    expect(warnings).toEqual([expect.stringMatching(/^spec\.containers\[0\]\.hotUpgradeEmptyImage: .*\(HOT3902\)$/)]);
    const usual = container({ upgradeStrategy: { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: "empty:1" } });
    expect(object.metadata.annotations).toEqual(usual.object.metadata.annotations);
    expect(usual.warnings).toEqual([]);
  });

  it("never replaces one that is there", () => {
    const both = { ...article, upgradeStrategy: { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: "empty:2" } };
    expect(first(both)?.upgradeStrategy?.hotUpgradeEmptyImage).toBe("empty:2");
  });
});

describe("unknown fields", () => {
  it("of the spec, outside of containers and volumes, are named too", () => {
    const { warnings } = defaulted({
      selectr: {},
      updateStrategy: { maxUnavailble: 1 },
      volumes: [{ name: "v", nfs: {} }],
    });
    expect(warnings).toEqual([
      expect.stringMatching(/^spec\.selectr: .*Did you mean selector\? \(HOT3901\)$/),
      expect.stringMatching(/^spec\.updateStrategy\.maxUnavailble: .*Did you mean maxUnavailable\? \(HOT3901\)$/),
    ]);
  });

  it("are kept and reported with the nearest known name", () => {
    const { object, warnings } = container({ imagePulPolicy: "Never", env: [{ name: "A", vlue: "1" }] });
    expect(object.spec.containers?.[0]).toMatchObject({ imagePulPolicy: "Never" });
    expect(warnings).toEqual(
      [
        expect.stringMatching(/^spec\.containers\[0\]\.env\[0\]\.vlue: .*Did you mean value\? \(HOT3901\)$/),
        expect.stringMatching(/^spec\.containers\[0\]\.imagePulPolicy: .*Did you mean imagePullPolicy\? \(HOT3901\)$/),
      ].toReversed(),
    );
  });
});

describe("quantities", () => {
  it("are written in canonical text; resources are rounded up to milli, divisors are not", () => {
    const resources = { limits: { cpu: "0.5", memory: "1024Mi", "x.io/y": "100n" }, requests: { cpu: null } };
    const env = [{ name: "A", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "0.0001" } } }];
    const result = first({ resources, env });
    expect(result?.resources).toEqual({
      limits: { cpu: "500m", memory: "1Gi", "x.io/y": "1m" },
      requests: { cpu: "0" },
    });
    expect(result?.env?.[0]?.valueFrom?.resourceFieldRef?.divisor).toBe("100u");
  });

  it("survive a resource that is called __proto__", () => {
    const limits = JSON.parse('{"__proto__": "0.5"}') as object;
    const result = first({ resources: { limits } })?.resources?.limits;
    expect(Object.entries(result ?? {})).toEqual([["__proto__", "500m"]]);
  });
});

describe("malformed input", () => {
  it.each([undefined, null, 5, "x", [], {}, { spec: null }, { spec: 5, metadata: 5 }])("%j is no crash", (raw) => {
    expect(() => defaultSidecarSet(raw, "v1beta1")).not.toThrow();
  });

  it.each(["containers", "initContainers", "volumes", "patchPodMetadata", "updateStrategy", "injectionStrategy"])(
    "in spec.%s is left alone",
    (name) => {
      for (const value of [5, "x", true, { a: 1 }, [5, null, "x", []]])
        expect(() => defaulted({ [name]: value })).not.toThrow();
    },
  );

  it("does not change its input", () => {
    const raw = Object.freeze({ metadata: Object.freeze({ name: "ss" }), spec: Object.freeze({}) });
    expect(() => defaultSidecarSet(raw, "v1alpha1")).not.toThrow();
  });
});

describe("the hot upgrade policy", () => {
  it("has its defaults when read", () => {
    const defaults = {
      progressDeadlineSeconds: 120,
      onFailure: "Abort",
      failureThreshold: 1,
      minReadySeconds: 0,
      newPodsWhenStalled: "Newest",
    };
    expect(hotUpgradePolicy({ spec: {} })).toEqual(defaults);
    const hotUpgrade = JSON.parse('{"minReadySeconds": 5, "onFailure": null}') as object;
    expect(hotUpgradePolicy({ spec: { updateStrategy: { hotUpgrade } } })).toEqual({ ...defaults, minReadySeconds: 5 });
  });
});
