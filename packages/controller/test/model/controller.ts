// SPDX-License-Identifier: Apache-2.0
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  IN_PLACE_STATE_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  WORKING_ANNOTATION,
  type SidecarSet,
} from "@hot/spec";
import { plan } from "../../src/plan/plan.ts";
import type { PodProjection } from "../../src/plan/pod-projection.ts";
import { recordsOf } from "../../src/plan/record.ts";
import { isMatched, isUnfinished } from "../../src/plan/select-pods.ts";
import type { PodWrite } from "../../src/plan/writes.ts";
import type { Rules } from "./rules.ts";
import {
  EMPTY_IMAGE,
  type ApiPod,
  type Index,
  type Reported,
  type State,
  type Tags,
  type View,
  type Wish,
} from "./state.ts";

const T0 = Date.UTC(2030, 0, 1);
const DEADLINE = "2030-01-01T00:02:00Z";
const NAMES = ["x-1", "x-2"] as const;
const RECORD = "upgrade.hot.internal/x";
const WAITING = { run: undefined, crash: "CrashLoopBackOff", pull: "ErrImagePull", hookerr: "PostStartHookError" };

export interface Decision {
  write?: PodWrite;
  reason: string;
}

/** What the real plan decides on what a controller sees. */
export function createDecider(
  rules: Rules,
  { old, tags }: { old: boolean; tags: Tags },
): (view: View, wish: Wish | null, before: Wish | null, late: boolean) => Decision {
  const known = new Map<string, Decision>();
  return (view, wish, before, late) => {
    const key = JSON.stringify([view, wish, before, late]);
    let decision = known.get(key);
    if (decision === undefined) {
      decision = decide(old ? withoutGeneration(rules) : rules, tags, view, wish, before, late);
      known.set(key, decision);
    }
    return decision;
  };
}

function withoutGeneration(rules: Rules): Rules {
  const show = (pod: PodProjection): PodProjection => {
    const { observedGeneration, ...rest } = rules.show(pod);
    return observedGeneration === undefined ? pod : rest;
  };
  return { ...rules, show };
}

function decide(rules: Rules, tags: Tags, view: View, wish: Wish | null, before: Wish | null, late: boolean): Decision {
  const pod = rules.show(project(view, tags));
  const now = late && rules.deadline ? T0 + 200_000 : T0;
  const planned = planOn(pod, before ?? wish, before === null || !rules.staleness, now);
  const { writes, pods } = planned.needsLiveSidecarSet ? planOn(pod, wish, true, now) : planned;
  const write = writes[0] && rules.write(writes[0].write);
  return { ...(write && { write }), reason: pods[0]?.reason ?? "nothing" };
}

function planOn(pod: PodProjection, wish: Wish | null, live: boolean, now: number) {
  const set = wish && sidecarSetOf(wish);
  const matched = set !== null && isMatched(pod, set, () => undefined);
  return plan({
    name: "mesh",
    ...(set && { sidecarSet: set }),
    live,
    matched: matched ? [pod] : [],
    lingering: !matched && isUnfinished(pod, "mesh") ? [pod] : [],
    pending: new Map(),
    receipts: new Map(),
    now,
  });
}

export function resourceVersion(wish: Wish): number {
  return wish.generation * 100;
}

function sidecarSetOf(wish: Wish): SidecarSet {
  const upgradeStrategy = { upgradeType: "HotUpgrade" as const, hotUpgradeEmptyImage: EMPTY_IMAGE };
  return {
    metadata: {
      name: "mesh",
      generation: wish.generation,
      resourceVersion: String(resourceVersion(wish)),
      annotations: { [HASH_ANNOTATION]: hashOf(wish), [HASH_WITHOUT_IMAGE_ANNOTATION]: wish.other ? "w1" : "w0" },
    },
    spec: {
      selector: { matchLabels: { app: "web" } },
      updateStrategy: { paused: wish.paused },
      containers: [{ name: "x", image: wish.img, upgradeStrategy }],
    },
  };
}

export function hashOf({ img, other }: Wish): string {
  return `h${img}${other ? "o" : ""}`;
}

function project({ pod, observed, reported }: View, tags: Tags): PodProjection {
  return {
    namespace: "ns",
    name: "web-0",
    uid: "u",
    resourceVersion: "1",
    generation: pod.generation,
    observedGeneration: observed,
    createdAt: 0,
    labels: { app: "web" },
    annotations: {
      [INJECTED_LIST_ANNOTATION]: "mesh",
      [HASH_ANNOTATION]: JSON.stringify({ mesh: { hash: pod.hash, sidecarSetName: "mesh", sidecarList: ["x"] } }),
      [HASH_WITHOUT_IMAGE_ANNOTATION]: JSON.stringify({ mesh: { hash: "w0", sidecarSetName: "mesh" } }),
      [WORKING_ANNOTATION]: JSON.stringify({ x: NAMES[pod.working] }),
      ...Object.fromEntries(
        NAMES.flatMap((name, side) => [
          [`version.sidecarset.kruise.io/${name}`, String(pod.ver[side as Index])],
          [`versionalt.sidecarset.kruise.io/${name}`, String(pod.alt[side as Index])],
        ]),
      ),
      ...(pod.inPlace.some((image) => image !== "") && {
        [IN_PLACE_STATE_ANNOTATION]: JSON.stringify({ mesh: { lastContainerStatuses: lastStatuses(pod, tags) } }),
      }),
      ...(pod.record && { [RECORD]: JSON.stringify(pod.record) }),
    },
    deleting: false,
    phase: "Running",
    nodeName: "n",
    ready: true,
    containers: NAMES.map((name, side) => ({
      name,
      image: pod.img[side as Index],
      probe: "exec" as const,
      startupPeriod: 0,
      readinessLimit: 0,
      status: observation(reported[side as Index], tags),
    })),
  };
}

function lastStatuses({ inPlace }: ApiPod, tags: Tags): Record<string, { imageID: string }> {
  return Object.fromEntries(NAMES.map((name, side) => [name, { imageID: digestOf(inPlace[side as Index], tags) }]));
}

/** `shared`: the images x1, x2 and x3 are tags of one digest. */
function digestOf(img: string, tags: Tags): string {
  return tags === "shared" ? img.slice(0, 1) : img;
}

/** The name that the runtime reports for an image: with `shared`, one of the tags; with `other`, one that nobody wrote. */
function reportedName(img: string, tags: Tags): string {
  if (tags === "own" || img === "") return img;
  return tags === "other" ? `${img}-other` : `${img.slice(0, 1)}1`;
}

function observation({ img, cid, st, ready }: Reported, tags: Tags) {
  const waiting = WAITING[st];
  return {
    image: reportedName(img, tags),
    imageID: digestOf(img, tags),
    containerID: `c${cid}`,
    ready,
    started: st === "run",
    restartCount: 0,
    ...(st === "run" && { runningSince: 1 }),
    ...(waiting !== undefined && { waiting }),
    ...(st === "crash" && { lastTerminated: { exitCode: 1, containerID: `c${cid}` } }),
  };
}

/** The API server carries out a write. */
export function commit(state: State, write: PodWrite): void {
  const { pod } = state;
  const { annotations, images } = write;
  NAMES.forEach((name, index) => {
    const side = index as Index;
    const image = images[name];
    if (image !== undefined) pod.img[side] = image;
    if (image !== undefined && write.kind === "upgrade") pod.nth[side] = ++state.upgrades;
    pod.ver[side] = Number(annotations[`version.sidecarset.kruise.io/${name}`] ?? pod.ver[side]);
    pod.alt[side] = Number(annotations[`versionalt.sidecarset.kruise.io/${name}`] ?? pod.alt[side]);
  });
  if (Object.keys(images).length > 0) pod.generation++;
  readAnnotations(pod, annotations);
  if (write.kind === "abort" && pod.record?.unanswered === true) state.unheard++;
  if (write.kind === "upgrade" || write.kind === "adopt" || write.kind === "abort") state.late = false;
}

function readAnnotations(pod: ApiPod, annotations: Readonly<Record<string, string>>): void {
  const hashes = annotations[HASH_ANNOTATION];
  if (hashes !== undefined) pod.hash = (JSON.parse(hashes) as { mesh: { hash: string } }).mesh.hash;
  const working = annotations[WORKING_ANNOTATION];
  if (working !== undefined) pod.working = (JSON.parse(working) as { x: string }).x === "x-1" ? 0 : 1;
  const record = recordsOf(annotations).get("x");
  if (record === undefined) return;
  // Times are abstracted; of a finished upgrade only what can still matter is kept.
  // Only an adoption reads the in-place state, and only of what Kruise has just written.
  pod.inPlace = ["", ""];
  const { failed, ...rest } = record;
  const past = record.phase === "upgrade" ? {} : { generation: 0, prevHash: "" };
  const id = record.phase === "reset" && record.containerID !== "" ? { containerID: "c0" } : {};
  pod.record = { ...rest, ...past, ...id, deadlineAt: DEADLINE, ...(failed && { failed: { ...failed, at: "" } }) };
}
