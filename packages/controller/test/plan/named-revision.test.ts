// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, parseObject, type Pod, type SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { projectPod } from "../../src/index.ts";
import { usedRevisions } from "../../src/plan/used-revisions.ts";
import { carriedOut } from "../support/kubelet.ts";
import { after, planFor, upgrading } from "../support/planning.ts";
import { back, calm, kruise, v1, v2 } from "./situations.ts";

const recorded = (latestRevision: string): SidecarSet => ({
  ...v2,
  status: { matchedPods: 0, updatedPods: 0, readyPods: 0, latestRevision },
});
const entryOf = (pod: Pod) =>
  (parseObject(pod.metadata.annotations?.[HASH_ANNOTATION])?.["mesh"] ?? {}) as Record<string, unknown>;
const named = (pod: Pod, controllerRevision: string): Pod => {
  const entries = JSON.stringify({ mesh: { ...entryOf(pod), controllerRevision } });
  const annotations = { ...pod.metadata.annotations, [HASH_ANNOTATION]: entries };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
};
const failedFrom = (pod: Pod): Pod => {
  const begun = upgrading(pod, recorded("mesh-2"));
  expect(entryOf(begun)["controllerRevision"]).toBe("mesh-2");
  const reported = carriedOut(begun, () => "pullError")!;
  return after(reported, planFor([reported], recorded("mesh-2")).writes[0]?.write);
};

test("the revision in the hash entry comes back with the hash of before, and none where none was known", () => {
  expect(entryOf(failedFrom(named(calm, "mesh-1")))).toMatchObject({
    hash: v1.metadata.annotations?.[HASH_ANNOTATION],
    controllerRevision: "mesh-1",
  });
  expect(entryOf(failedFrom(calm))).toMatchObject({ hash: v1.metadata.annotations?.[HASH_ANNOTATION] });
  expect(entryOf(failedFrom(calm))).not.toHaveProperty("controllerRevision");
  const adopted = named(kruise, "mesh-2");
  const undone = after(adopted, planFor([adopted], v2).writes[0]?.write);
  expect(entryOf(after(undone, planFor([undone], back).writes[0]?.write))).not.toHaveProperty("controllerRevision");
});

test("a revision is in use together with the one that an abort would take the pod back to, as long as one may come", () => {
  const begun = upgrading(named(calm, "mesh-1"), recorded("mesh-2"));
  expect([...usedRevisions([projectPod(begun)], "mesh")].sort()).toEqual(["mesh-1", "mesh-2"]);
  const served = carriedOut(begun)!;
  const done = after(served, planFor([served], recorded("mesh-2")).writes[0]?.write);
  expect([...usedRevisions([projectPod(done)], "mesh")]).toEqual(["mesh-2"]);
  expect([...usedRevisions([projectPod(failedFrom(named(calm, "mesh-1")))], "mesh")]).toEqual(["mesh-1"]);
});
