// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, type Pod, type SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { byRevision, explainPod, projectPod, viewSidecarSet, type PodView, type ViewInput } from "../../src/index.ts";
import { hotContainer, injectedPod, sidecarSet, T0 } from "../support/builders.ts";
import { carriedOut, type Fate } from "../support/kubelet.ts";
import { after, planFor, upgrading } from "../support/planning.ts";

const CREATED = "2029-12-30T00:00:00Z";
const created = (set: SidecarSet, latestRevision = "mesh-new"): SidecarSet => ({
  ...set,
  metadata: { ...set.metadata, creationTimestamp: CREATED },
  status: { matchedPods: 0, updatedPods: 0, readyPods: 0, latestRevision },
});
const v1 = sidecarSet({ image: "x:1" });
const v2 = created(sidecarSet({ image: "x:2", strategy: { maxUnavailable: 2 } }));

/** Injected by the version before, which is a revision of its own. */
function old(name: string, from = v1): Pod {
  const pod = injectedPod(from, name);
  const annotations = { ...pod.metadata.annotations };
  const entries = JSON.parse(annotations[HASH_ANNOTATION] ?? "{}") as { mesh: object };
  annotations[HASH_ANNOTATION] = JSON.stringify({ mesh: { ...entries.mesh, controllerRevision: "mesh-old" } });
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

function bare(name: string, creationTimestamp: string): Pod {
  const pod = injectedPod(v1, name);
  const { annotations: _, ...metadata } = pod.metadata;
  return { ...pod, metadata: { ...metadata, creationTimestamp } };
}

const observed = (pod: Pod, fate: Fate = "runs"): Pod => carriedOut(pod, () => fate) ?? pod;
const next = (pod: Pod, set: SidecarSet): Pod => observed(after(pod, planFor([pod], set).writes[0]?.write));
const settled = (name: string): Pod => next(observed(upgrading(old(name), v2)), v2);

/** The whole model as text, as a terminal might draw it. */
function drawn(pods: readonly Pod[], set: SidecarSet | undefined, more: Partial<ViewInput> = {}): string {
  const view = viewSidecarSet({
    name: "mesh",
    ...(set && { sidecarSet: set }),
    pods: pods.map(projectPod),
    namespaces: () => ({}),
    now: T0,
    ...more,
  });
  const line = (pod: PodView): string => {
    const { code } = explainPod(pod);
    const flags = [pod.ready ? "ready" : "not-ready", pod.updated ? "updated" : "old"].join(" ");
    const age = pod.changedAt === undefined ? "" : ` changed ${(T0 - pod.changedAt) / 1000} s ago`;
    return `    ${pod.namespace}/${pod.name} ${flags} ${code} ${pod.reason}${pod.detail === "" ? "" : ` (${pod.detail})`}${age}`;
  };
  const pairs = (pod: PodView): string[] =>
    pod.pairs.map(
      ({ base, state, sides }) =>
        `      ${base} ${state}: ${sides.map((one) => `${one.container} ${one.role} ${one.image}@${one.version} ${one.observed}${one.waiting === undefined ? "" : ` ${one.waiting}`}`).join(" | ")}`,
    );
  return [
    `${view.name} ${view.state} matched ${view.matched} updated ${view.updated} ready ${view.ready}`,
    ...byRevision(view).flatMap((one) => [
      `  ${one.name || "(unknown)"}${one.isNewest ? " newest" : ""} ${one.pods.length}`,
      ...one.pods.flatMap((pod) => [line(pod), ...pairs(pod)]),
    ]),
    ...(view.uninjected.length > 0 ? ["  without it", ...view.uninjected.map(line)] : []),
  ].join("\n");
}

test("a rollout: a pod that is done, one in its migration, one whose image is missing, one that waits, two without sidecars", () => {
  const pods = [
    settled("web-0"),
    observed(upgrading(old("web-1"), v2), "hangs"),
    observed(upgrading(old("web-2"), v2), "pullError"),
    old("web-3"),
    bare("late", "2029-12-31T00:00:00Z"),
    bare("early", "2029-12-29T00:00:00Z"),
  ];
  expect(drawn(pods, v2)).toBe(
    `mesh Waiting matched 4 updated 3 ready 2
  mesh-new newest 3
    ns1/web-0 ready updated HOT1000 UpToDate changed 0 s ago
      x settled: x-1 empty e:1@0 ready | x-2 working x:2@5000 ready
    ns1/web-1 not-ready updated HOT1002 Upgrading (x-2) changed 0 s ago
      x upgrading: x-1 old x:1@1 ready | x-2 working x:2@5000 starting
    ns1/web-2 not-ready updated HOT1005 Resetting changed 0 s ago
      x upgrading: x-1 old x:1@1 ready | x-2 working x:2@5000 waiting ErrImagePull
  mesh-old 1
    ns1/web-3 ready old HOT1206 Stalled
      x settled: x-1 working x:1@1 ready | x-2 empty e:1@0 ready
  without it
    ns1/early ready old HOT1211 OlderThanSidecarSet
    ns1/late ready old HOT1210 NotInjected`,
  );
});

test("a pod of an unknown revision comes last, and the newest one is shown though no pod has it", () => {
  const unknown = injectedPod(v1, "web-1");
  expect(drawn([old("web-0"), unknown], created(sidecarSet({ image: "x:2", strategy: { paused: true } })))).toBe(
    `mesh Waiting matched 2 updated 0 ready 2
  mesh-new newest 0
  mesh-old 1
    ns1/web-0 ready old HOT1201 Paused
      x settled: x-1 working x:1@1 ready | x-2 empty e:1@0 ready
  (unknown) 1
    ns1/web-1 ready old HOT1201 Paused
      x settled: x-1 working x:1@1 ready | x-2 empty e:1@0 ready`,
  );
});

test("without its SidecarSet a pod in mid-upgrade is left", () => {
  expect(drawn([observed(upgrading(old("web-0"), v2), "hangs"), old("web-1")], undefined)).toBe(
    `mesh Gone matched 0 updated 0 ready 0
  mesh-new 1
    ns1/web-0 not-ready old HOT1002 Upgrading (x-2) changed 0 s ago
      x upgrading: x-1 old x:1@1 ready | x-2 working x:2@5000 starting`,
  );
});

test("a pod of a canary, of an excluded namespace, a finished one and a static one are not missed", () => {
  const late = (name: string) => bare(name, "2029-12-31T00:00:00Z");
  const canary: SidecarSet = {
    ...created(sidecarSet({ name: "mesh-canary", image: "x:3" })),
    metadata: {
      name: "mesh-canary",
      annotations: { "apps.kruise.io/sidecarset-canary": "true", "apps.kruise.io/sidecarset-base": "mesh" },
    },
  };
  const of = (pod: Pod, more: Partial<ViewInput> = {}): string => drawn([pod], v2, more);
  expect(of(late("web-0"))).toContain("NotInjected");
  expect(of(late("web-0"), { others: [canary] })).not.toContain("NotInjected");
  expect(of(late("web-0"), { isInjectable: () => false })).not.toContain("NotInjected");
  expect(of(late("web-0"), { namespaces: () => undefined })).not.toContain("NotInjected");
  const done = late("web-0");
  expect(of({ ...done, status: { ...done.status, phase: "Succeeded" } })).not.toContain("NotInjected");
  const annotations = { "kubernetes.io/config.mirror": "hash" };
  expect(of({ ...done, metadata: { ...done.metadata, annotations } })).not.toContain("NotInjected");
});

test("two hot containers of one pod are two pairs", () => {
  const set = (x: string) => created(sidecarSet({ containers: [hotContainer("x", x), hotContainer("y", "y:1")] }));
  const pod = observed(upgrading(old("web-0", set("x:1")), set("x:2")));
  expect(drawn([pod], set("x:2"))).toBe(
    `mesh Waiting matched 1 updated 1 ready 0
  mesh-new newest 1
    ns1/web-0 not-ready updated HOT1005 Resetting changed 0 s ago
      x upgrading: x-1 old x:1@1 ready | x-2 working x:2@5000 ready
      y settled: y-1 working y:1@1 ready | y-2 empty e:1@0 ready`,
  );
});

test("an explanation has code, sentence, fix and the names of the pod at hand", () => {
  const view = viewSidecarSet({
    name: "mesh",
    sidecarSet: v2,
    pods: [observed(upgrading(old("web-0"), v2), "hangs"), bare("late", "2029-12-31T00:00:00Z")].map(projectPod),
    namespaces: () => ({}),
    now: T0,
  });
  expect([...view.pods, ...view.uninjected].map(explainPod)).toEqual([
    {
      code: "HOT1002",
      reason: "Upgrading",
      sentence: "The new image is set and its container is not running yet.",
      fix: "Wait; the pod is aborted when progressDeadlineSeconds have passed.",
      detail: "x-2",
    },
    {
      code: "HOT1210",
      reason: "NotInjected",
      sentence:
        "The SidecarSet selects the pod, which runs without it: admission did not answer or could not inject it when it was created, or it is selected only since then.",
      fix: "Re-create the pod: `kubectl rollout restart` of its owner, or `kubectl delete pod NAME`. With failurePolicy Fail no pod starts without its sidecars.",
      detail: "",
    },
  ]);
});
