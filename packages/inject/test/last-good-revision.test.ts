// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, type ControllerRevision, type SidecarSet, type SidecarSetStatus } from "@hot/spec";
import { expect, test } from "vitest";
import { injectPod, parseHashes } from "../src/index.ts";

const revision = (name: string, owner = "s"): ControllerRevision => ({
  metadata: {
    name,
    labels: { "kruise.io/sidecarset-name": owner },
    annotations: { "kruise.io/sidecarset-hash": `hash-${name}`, "kruise.io/sidecarset-hash-without-image": "same" },
  },
  revision: 1,
  data: { spec: { $patch: "replace", containers: [{ name: "c", image: `c:${name}` }] } },
});
const broken: ControllerRevision = { ...revision("broken"), data: "no" };
/** That of the SidecarSet as it is. */
const newest: ControllerRevision = {
  ...revision("newest"),
  metadata: { ...revision("newest").metadata, annotations: { ...revision("live").metadata.annotations } },
};
const REVISIONS = [revision("good"), revision("other"), revision("foreign", "t"), broken, newest];

interface Circumstances {
  newPodsWhenStalled?: "Newest" | "LastGood";
  lastGoodRevision?: string | undefined;
  latestRevision?: string;
  stalled?: "True" | "False";
  observedGeneration?: number;
  retry?: string;
  revisionName?: string;
  before?: Record<string, string>;
}

/** A stalled rollout whose last good revision exists, but for what is said otherwise. */
function inject(circumstances: Circumstances = {}) {
  const {
    newPodsWhenStalled = "LastGood",
    latestRevision = "newest",
    stalled = "True",
    observedGeneration = 2,
    retry,
    revisionName,
    before,
  } = circumstances;
  const lastGoodRevision = "lastGoodRevision" in circumstances ? circumstances.lastGoodRevision : "good";
  const status: SidecarSetStatus = {
    matchedPods: 2,
    updatedPods: 0,
    readyPods: 2,
    latestRevision,
    ...(lastGoodRevision !== undefined && { lastGoodRevision }),
    conditions: [
      { type: "Stalled", status: stalled, observedGeneration, reason: "R", message: "", lastTransitionTime: "" },
    ],
  };
  const sidecarSet: SidecarSet = {
    metadata: {
      name: "s",
      generation: 2,
      annotations: {
        "kruise.io/sidecarset-hash": "hash-live",
        "kruise.io/sidecarset-hash-without-image": "same",
        ...(retry !== undefined && { "hot.internal/retry": retry }),
      },
    },
    spec: {
      selector: { matchLabels: { app: "x" } },
      containers: [{ name: "c", image: "c:live" }],
      updateStrategy: { hotUpgrade: { newPodsWhenStalled } },
      ...(revisionName !== undefined && { injectionStrategy: { revision: { revisionName } } }),
    },
    status,
  };
  const { pod, report } = injectPod({
    pod: {
      metadata: { name: "p", labels: { app: "x" }, ...(before && { annotations: before }) },
      spec: { containers: [{ name: "main", image: "main:1" }] },
    },
    namespace: { name: "d" },
    sidecarSets: [sidecarSet],
    revisions: REVISIONS,
    now: "2026-01-02T03:04:05Z",
  });
  const annotations = pod.metadata.annotations ?? {};
  return {
    image: pod.spec.containers[1]?.image,
    entry: parseHashes(annotations[HASH_ANNOTATION])?.["s"],
    annotations,
    report,
  };
}

test("a pod that is created while the rollout is stalled gets the last good revision, with its hash, and a remark", () => {
  const { image, entry, report } = inject();
  expect(image).toBe("c:good");
  expect(entry).toMatchObject({ hash: "hash-good", controllerRevision: "good" });
  expect(report.warnings).toEqual(["SidecarSet s is stalled: the pod got its last good revision good (HOT2204)"]);
});

test("so it does where the newest revision could not be recorded, and the status names the one before as the latest", () => {
  expect(inject({ latestRevision: "good" }).image).toBe("c:good");
});

test.each<[string, Circumstances]>([
  ["it is not wished", { newPodsWhenStalled: "Newest" }],
  ["the rollout goes on", { stalled: "False" }],
  ["it has stalled for an earlier generation", { observedGeneration: 1 }],
  ["a retry was asked for since", { retry: "again" }],
  ["no revision has been good yet", { lastGoodRevision: undefined }],
  ["the newest one was good", { lastGoodRevision: "newest" }],
])("the newest one is injected, without a remark, where %s", (_, circumstances) => {
  const { image, report } = inject(circumstances);
  expect([image, report.warnings]).toEqual(["c:live", []]);
});

test.each([
  ["gone", "does not exist"],
  ["foreign", "does not exist"],
  ["broken", "can't be restored"],
])("a last good revision that is %s refuses no pod: it gets the newest one, and a remark", (name, problem) => {
  const { image, report } = inject({ lastGoodRevision: name });
  expect(image).toBe("c:live");
  expect(report.denied).toBeUndefined();
  expect(report.warnings).toEqual([
    `SidecarSet s is stalled, and its last good revision ${name} ${problem}: the pod got the newest one (HOT2205)`,
  ]);
});

test("a revision that the SidecarSet names comes before it", () => {
  expect(inject({ revisionName: "other" }).image).toBe("c:other");
});

test("a second call for the same pod does not choose again, whatever has become of the rollout meanwhile", () => {
  const live = inject({ stalled: "False" });
  expect(inject({ before: live.annotations }).image).toBe("c:live");
  const good = inject();
  expect(inject({ before: good.annotations }).image).toBe("c:good");
});
