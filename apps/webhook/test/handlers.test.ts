// SPDX-License-Identifier: Apache-2.0
import { applyPatch } from "@hot/inject";
import type { SidecarSet } from "@hot/spec";
import { describe, expect, test } from "vitest";
import { answer, readRequest, ReviewError, type Decision } from "../src/admission.ts";
import { convertReview } from "../src/handlers/convert.ts";
import { decidePod, type PodContext } from "../src/handlers/pod.ts";
import { decideDefaults } from "../src/handlers/sidecar-set-mutate.ts";
import { decideValidity } from "../src/handlers/sidecar-set-validate.ts";
import { aPod, aSidecarSet, podReview, requestOf, sidecarSetRequest } from "./reviews.ts";

interface Answer {
  apiVersion: string;
  kind: string;
  response: {
    uid: string;
    allowed: boolean;
    patchType?: string;
    patch?: string;
    warnings?: string[];
    status?: { status: string; code: number; reason: string; message: string; details?: object };
  };
}

function answered(review: object, decide: (request: ReturnType<typeof readRequest>) => Decision): Answer["response"] {
  const request = readRequest(review);
  return (answer(request, decide(request)) as Answer).response;
}

const context: PodContext = {
  sidecarSets: [aSidecarSet()],
  revisions: [],
  namespace: { name: "shop" },
  failurePolicy: "Ignore",
  now: "2026-01-02T03:04:05Z",
};

describe("pod", () => {
  test("the answer is a review with the request's uid and a patch that applies to the pod", () => {
    const review = podReview(aPod());
    const response = answered(review, (request) => decidePod(request, context));
    expect(response).toMatchObject({ uid: requestOf(review).uid, allowed: true, patchType: "JSONPatch" });
    const patch = JSON.parse(Buffer.from(response.patch!, "base64").toString("utf8")) as Parameters<
      typeof applyPatch
    >[1];
    const pod = applyPatch(requestOf(review).object, patch) as {
      metadata: { namespace?: string };
      spec: { containers: { name: string }[] };
    };
    expect(pod.spec.containers.map(({ name }) => name).sort()).toEqual(["main", "proxy-1", "proxy-2"]);
    expect(pod.metadata.namespace).toBeUndefined();
  });

  test("no SidecarSet selects the pod: allowed without patch and without warning", () => {
    const response = answered(podReview(aPod()), (request) => decidePod(request, { ...context, sidecarSets: [] }));
    expect(response).toEqual({ uid: response.uid, allowed: true });
  });

  test.each([
    ["an update", { operation: "UPDATE" as const }],
    ["a subresource", { subResource: "ephemeralcontainers" }],
    ["another resource", { resource: { group: "", version: "v1", resource: "configmaps" } }],
  ])("%s is allowed untouched", (_what, change) => {
    const response = answered(podReview(aPod(), change), (request) => decidePod(request, context));
    expect(response).toEqual({ uid: response.uid, allowed: true });
  });

  describe("a name collision", () => {
    const review = podReview(aPod("proxy-2"));

    test("under Ignore: admitted unchanged with a warning that has code and fix", () => {
      const response = answered(review, (request) => decidePod(request, context));
      expect(response.allowed).toBe(true);
      expect(response.patch).toBeUndefined();
      expect(response.warnings).toEqual([
        expect.stringMatching(/without sidecars: SidecarSet mesh, container proxy-2: .*Rename .*\(HOT2101\)$/),
      ]);
    });

    test("under Fail: denied with 403 and the code, naming the pod", () => {
      const response = answered(review, (request) => decidePod(request, { ...context, failurePolicy: "Fail" }));
      expect(response.allowed).toBe(false);
      expect(response.patch).toBeUndefined();
      expect(response.status).toMatchObject({ status: "Failure", code: 403, reason: "Forbidden" });
      expect(response.status?.message).toMatch(/^pod shop\/web-5d4f-\* was not admitted: .*\(HOT2101\)$/);
    });
  });

  test("the revision that the SidecarSet wants is found among those of the context, or the pod is refused", () => {
    const live = aSidecarSet();
    const revision = { revisionName: "mesh-1" };
    const sidecarSets = [{ ...live, spec: { ...live.spec, injectionStrategy: { revision } } }];
    const { containers } = live.spec;
    const labels = { "kruise.io/sidecarset-name": "mesh" };
    const revisions = [{ metadata: { name: "mesh-1", labels }, revision: 1, data: { spec: { containers } } }];
    const decide = (context: PodContext) => answered(podReview(aPod()), (request) => decidePod(request, context));
    expect(decide({ ...context, sidecarSets, revisions }).patch).toBeDefined();
    expect(decide({ ...context, sidecarSets }).warnings).toEqual([expect.stringContaining("HOT2104")]);
  });

  test("while the rollout is stalled and the last good revision is wished, the answer says that it was injected", () => {
    const live = aSidecarSet();
    const { containers } = live.spec;
    const labels = { "kruise.io/sidecarset-name": "mesh" };
    const revisions = [{ metadata: { name: "mesh-1", labels }, revision: 1, data: { spec: { containers } } }];
    const stalled = { type: "Stalled", status: "True" as const, observedGeneration: 1, reason: "NewSideCrashed" };
    const conditions = [{ ...stalled, message: "", lastTransitionTime: "" }];
    const counters = { matchedPods: 1, updatedPods: 0, readyPods: 1 };
    const sidecarSet = {
      ...live,
      metadata: { ...live.metadata, generation: 1 },
      spec: { ...live.spec, updateStrategy: { hotUpgrade: { newPodsWhenStalled: "LastGood" as const } } },
      status: { ...counters, lastGoodRevision: "mesh-1", latestRevision: "mesh-2", conditions },
    };
    const decide = (context: PodContext) => answered(podReview(aPod()), (request) => decidePod(request, context));
    const { patch, warnings } = decide({ ...context, sidecarSets: [sidecarSet], revisions });
    expect(Buffer.from(patch!, "base64").toString("utf8")).toContain('\\"controllerRevision\\":\\"mesh-1\\"');
    expect(warnings).toContainEqual(expect.stringContaining("HOT2204"));
  });

  test.each([
    ["no object", { object: null }],
    ["no spec", { object: { metadata: {} } }],
    ["containers that are no list", { object: { metadata: {}, spec: { containers: {} } } }],
    ["a container that is null", { object: { metadata: { labels: { app: "web" } }, spec: { containers: [null] } } }],
    ["no metadata", { object: { spec: { containers: [] } } }],
  ])("%s: admitted unchanged under Ignore, 403 under Fail, never an exception", (_what, change) => {
    const review = podReview({}, change);
    expect(answered(review, (request) => decidePod(request, context))).toMatchObject({
      allowed: true,
      warnings: [expect.stringMatching(/HOT21(05|11)/)],
    });
    const denied = answered(review, (request) => decidePod(request, { ...context, failurePolicy: "Fail" }));
    expect(denied).toMatchObject({ allowed: false, status: { code: 403 } });
  });
});

describe("SidecarSet defaults", () => {
  test("the patch leads to an object with defaults and both hashes, in the version of the request", () => {
    const object = {
      apiVersion: "apps.kruise.io/v1alpha1",
      kind: "SidecarSet",
      metadata: { name: "mesh", annotations: { "kruise.io/sidecarset-hash": "stale" } },
      spec: { selector: { matchLabels: { app: "web" } }, containers: [{ name: "proxy", image: "proxy:1" }] },
    };
    const { patch = [] } = decideDefaults(sidecarSetRequest(object));
    const result = applyPatch(object, patch);
    expect(result.apiVersion).toBe("apps.kruise.io/v1alpha1");
    expect(result.metadata.annotations["kruise.io/sidecarset-hash"]).toMatch(/^[a-z0-9]{64}$/);
    expect(result.spec.containers[0]).toMatchObject({
      imagePullPolicy: "IfNotPresent",
      podInjectPolicy: "BeforeAppContainer",
    });
    expect(decideDefaults(sidecarSetRequest(result)).patch).toEqual([]);
  });

  test("the article's place of the empty image is moved, with a warning", () => {
    const sidecarSet = aSidecarSet();
    const [container] = sidecarSet.spec.containers!;
    Object.assign(container!, { hotUpgradeEmptyImage: "empty:2", upgradeStrategy: { upgradeType: "HotUpgrade" } });
    const { patch = [], warnings } = decideDefaults(sidecarSetRequest(sidecarSet));
    expect(applyPatch(sidecarSet, patch).spec.containers?.[0]?.upgradeStrategy?.hotUpgradeEmptyImage).toBe("empty:2");
    expect(warnings).toEqual([expect.stringContaining("HOT3902")]);
  });

  test.each([null, "text", [], { spec: { containers: "no list" } }])("%j does not throw", (object) => {
    expect(decideDefaults(sidecarSetRequest(object)).allowed).toBe(true);
  });

  test("a version that is not served is no review of ours", () => {
    expect(() => decideDefaults(sidecarSetRequest({ apiVersion: "apps.kruise.io/v9" }))).toThrow(ReviewError);
  });
});

const NOTHING = { sidecarSets: [], revisions: [], metadataRules: {} };

describe("SidecarSet validation", () => {
  test("a revision that is not there is refused, unless the revisions have not been read yet", () => {
    const sidecarSet = aSidecarSet();
    sidecarSet.spec.injectionStrategy = { revision: { customVersion: "v7", policy: "Always" } };
    const defaulted = applyPatch(sidecarSet, decideDefaults(sidecarSetRequest(sidecarSet)).patch ?? []);
    const refused = decideValidity(sidecarSetRequest(defaulted), NOTHING);
    expect(refused.status?.details?.causes?.map(({ field }) => field)).toEqual([
      "spec.injectionStrategy.revision.customVersion",
    ]);
    const unread = { ...NOTHING, revisions: undefined };
    expect(decideValidity(sidecarSetRequest(defaulted), unread).allowed).toBe(true);
  });

  test("422 with all faults at once: path, value, code and fix, for people and for programs", () => {
    const sidecarSet = aSidecarSet();
    sidecarSet.spec.selector = {};
    sidecarSet.spec.containers![0]!.name = "Not_A_Name";
    const { allowed, status } = decideValidity(sidecarSetRequest(sidecarSet), NOTHING);
    expect(allowed).toBe(false);
    expect(status).toMatchObject({ code: 422, reason: "Invalid", details: { name: "mesh", kind: "SidecarSet" } });
    const fields = status?.details?.causes?.map(({ field }) => field);
    expect(fields).toEqual(expect.arrayContaining(["spec.selector", "spec.containers[0].name"]));
    for (const { field, message } of status?.details?.causes ?? []) {
      expect(message).toMatch(/\(HOT3\d{3}\)$/);
      expect(status?.message).toContain(`${field}: ${message}`);
    }
    expect(status?.message).toContain('"Not_A_Name"');
  });

  test("one that is being deleted may lose its finalizer though nobody would accept it today, but not change", () => {
    // As Kruise accepts it: without an empty image, and without the defaults of today.
    const stored = aSidecarSet();
    stored.metadata = {
      ...stored.metadata,
      deletionTimestamp: "2026-01-01T00:00:00Z",
      finalizers: ["foregroundDeletion"],
    };
    delete stored.spec.containers![0]!.upgradeStrategy!.hotUpgradeEmptyImage;
    const update = (object: SidecarSet) => {
      const request = sidecarSetRequest(object, { operation: "UPDATE", oldObject: stored });
      return decideValidity({ ...request, object: applyPatch(object, decideDefaults(request).patch ?? []) }, NOTHING);
    };
    const freed = structuredClone(stored);
    delete freed.metadata.finalizers;
    expect(update(freed)).toEqual({ allowed: true });
    const { deletionTimestamp: _, ...metadata } = freed.metadata;
    expect(update({ ...freed, metadata }).status?.code).toBe(422);
    freed.spec.containers![0]!.image = "other:1";
    expect(update(freed).status?.code).toBe(422);
  });

  test("a hot container without an exec readinessProbe is accepted with a warning", () => {
    const sidecarSet = aSidecarSet();
    delete sidecarSet.spec.containers![0]!.readinessProbe;
    const defaulted = applyPatch(sidecarSet, decideDefaults(sidecarSetRequest(sidecarSet)).patch ?? []);
    const decision = decideValidity(sidecarSetRequest(defaulted), NOTHING);
    expect(decision.allowed).toBe(true);
    expect(decision.warnings).toEqual(expect.arrayContaining([expect.stringContaining("HOT3903")]));
  });

  test.each([null, "text", { spec: 5 }, { apiVersion: "apps.kruise.io/v1alpha1", spec: { containers: [null] } }])(
    "%j is refused, not thrown",
    (object) => {
      expect(decideValidity(sidecarSetRequest(object), NOTHING).status?.code).toBe(422);
    },
  );
});

describe("conversion", () => {
  const review = (desiredAPIVersion: string, ...objects: object[]): object => ({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "ConversionReview",
    request: { uid: "u1", desiredAPIVersion, objects },
  });
  interface Converted {
    response: { uid: string; convertedObjects: Record<string, never>[]; result: { status: string; message?: string } };
  }
  const alpha = {
    apiVersion: "apps.kruise.io/v1alpha1",
    kind: "SidecarSet",
    metadata: { name: "a" },
    spec: { namespace: "shop" },
  };

  test("all objects, in order, in the desired version", () => {
    const { response } = convertReview(review("apps.kruise.io/v1beta1", alpha, aSidecarSet("b"))) as Converted;
    expect(response).toMatchObject({ uid: "u1", result: { status: "Success" } });
    expect(response.convertedObjects).toEqual([
      {
        apiVersion: "apps.kruise.io/v1beta1",
        kind: "SidecarSet",
        metadata: { name: "a" },
        spec: { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } } },
      },
      aSidecarSet("b"),
    ]);
  });

  test("a version that nobody knows is a failure which names the object", () => {
    const { response } = convertReview(review("apps.kruise.io/v2", alpha)) as Converted;
    expect(response).toMatchObject({ uid: "u1", convertedObjects: [], result: { status: "Failure" } });
    expect(response.result.message).toContain("SidecarSet a");
  });

  test.each([null, [], "text", { ...alpha, spec: null }])("%j among the objects is a failure", (object) => {
    const { response } = convertReview(review("apps.kruise.io/v1beta1", alpha, object as object)) as Converted;
    expect(response).toMatchObject({ uid: "u1", convertedObjects: [], result: { status: "Failure" } });
    expect(response.result.message).toContain("can't be converted");
  });

  test("what is no ConversionReview is refused", () => {
    expect(() => convertReview(podReview(aPod()))).toThrow(ReviewError);
  });
});

test.each([
  null,
  [],
  "text",
  {},
  { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1beta1", request: {} },
  { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1" },
  { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", request: { uid: 1 } },
])("%j is no AdmissionReview and says so with a code", (body) => {
  expect(() => readRequest(body)).toThrow(ReviewError);
  expect(() => readRequest(body)).toThrow(/HOT5301/);
});
