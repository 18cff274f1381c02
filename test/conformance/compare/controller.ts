// SPDX-License-Identifier: Apache-2.0
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  IN_PLACE_STATE_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  WORKING_ANNOTATION,
  parseObject,
  type Pod,
  type SidecarSet,
  type UpdateStrategy,
} from "@hot/spec";
import type { Case, Comparison } from "../corpus-case.ts";
import { inOrder } from "../../../packages/controller/src/plan/order.ts";
import { after, planFor } from "../../../packages/controller/test/support/planning.ts";

interface CompactPod {
  name: string;
  labels?: Record<string, string>;
  createdAt: number;
  readyAt?: number;
  node?: string;
  phase: NonNullable<NonNullable<Pod["status"]>["phase"]>;
  ready: boolean;
  restarts?: number;
  containerReady: boolean;
  hash: string;
  config?: string;
  inconsistent?: boolean;
}

export type StrategyCase = Case<
  { updateStrategy: UpdateStrategy; pods: CompactPod[] | null },
  { upgrade: string[]; notUpgradable: string[]; sortedCandidates: string[] }
>;

const at = (seconds: number): string => new Date(Date.UTC(2020, 0, 1) + seconds * 1000).toISOString();

/** Which pods are upgraded, in which order, of those that a case describes. */
export function compareStrategy({ input, expected }: StrategyCase): Comparison {
  const set: SidecarSet = {
    metadata: {
      name: "ss",
      resourceVersion: "5000",
      annotations: { [HASH_ANNOTATION]: "new", [HASH_WITHOUT_IMAGE_ANNOTATION]: "cfg" },
    },
    spec: {
      selector: { matchExpressions: [{ key: "none", operator: "DoesNotExist" }] },
      containers: [{ name: "c", image: "img:new" }],
      updateStrategy: input.updateStrategy,
    },
  };
  const { writes, pods } = planFor((input.pods ?? []).map(expand), set);
  const candidates = pods.filter(({ reason }) => ["Upgrading", "MaxUnavailableReached", "Partition"].includes(reason));
  const starts = candidates.filter(({ facts }) => facts.decision.do === "candidate" || facts.decision.do === "wait");
  return {
    actual: {
      upgrade: writes.map(({ pod }) => pod.name),
      notUpgradable: pods.filter(({ reason }) => reason === "NotUpgradable").map(({ pod }) => pod.name),
      sortedCandidates: inOrder(
        starts,
        input.updateStrategy,
        pods.map(({ facts }) => facts),
      ).map(({ pod }) => pod.name),
    },
    wanted: Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, value ?? []])),
  };
}

function expand(compact: CompactPod): Pod {
  const image = compact.hash === "new" ? "img:new" : "img:old";
  const entry = (hash: string): string => JSON.stringify({ ss: { hash, sidecarSetName: "ss" } });
  const last = { ss: { revision: "", updateTimestamp: "", lastContainerStatuses: { c: { imageID: "id-now" } } } };
  const status = compact.ready ? ("True" as const) : ("False" as const);
  return {
    metadata: {
      namespace: "ns1",
      name: compact.name,
      uid: compact.name,
      resourceVersion: "1",
      creationTimestamp: at(compact.createdAt),
      labels: compact.labels ?? {},
      annotations: {
        [INJECTED_LIST_ANNOTATION]: "ss",
        [HASH_ANNOTATION]: entry(compact.hash),
        [HASH_WITHOUT_IMAGE_ANNOTATION]: entry(compact.config === "other" ? "other" : "cfg"),
        ...(compact.inconsistent && { [IN_PLACE_STATE_ANNOTATION]: JSON.stringify(last) }),
      },
    },
    spec: {
      containers: [
        { name: "main", image: "main:1" },
        { name: "c", image },
      ],
      ...(compact.node !== undefined && { nodeName: compact.node }),
    },
    status: {
      phase: compact.phase,
      conditions: [
        { type: "Ready", status, ...(compact.readyAt !== undefined && { lastTransitionTime: at(compact.readyAt) }) },
      ],
      containerStatuses: [
        {
          name: "main",
          image: "main:1",
          imageID: "id-main",
          ready: compact.ready,
          restartCount: compact.restarts ?? 0,
        },
        {
          name: "c",
          image: compact.inconsistent ? "img:previous" : image,
          imageID: "id-now",
          ready: compact.containerReady,
          restartCount: 0,
        },
      ],
    },
  };
}

interface Round {
  pod?: Pod;
  status?: SidecarSet["status"];
  error?: unknown;
}

export type RoundCase = Case<
  { sidecarSet: SidecarSet; pod: Pod },
  { booleans: Record<string, unknown>; afterFlip?: Round; afterReconcile: Round }
>;

/** Images, versions, working side and hash after one round, and the counters of the status. */
export function compareRound({ input, expected }: RoundCase): Comparison {
  const { pod, status } = expected.afterReconcile;
  const name = input.sidecarSet.metadata.name ?? "";
  const first = planFor([reported(input.pod)], input.sidecarSet);
  const one = written(reported(input.pod), first);
  // An upgrade of Kruise's is adopted in a round of its own, and goes on in the next.
  const adopted = first.writes[0]?.write.kind === "adopt";
  const actual = adopted ? written(one, planFor([one], input.sidecarSet)) : one;
  return {
    actual: { pod: essence(actual, name), status: counters(first.status) },
    wanted: { pod: pod && essence(pod, name), status: counters(status) },
    ours: actual,
  };
}

function written(pod: Pod, { writes }: ReturnType<typeof planFor>): Pod {
  return writes[0] === undefined ? pod : after(pod, writes[0].write);
}

/** The corpus leaves out what a kubelet always reports: containerID, started and the state. */
function reported(pod: Pod): Pod {
  const statuses = pod.status?.containerStatuses?.map((one) =>
    Object.assign({ containerID: `c://${one.name}-${one.imageID}`, started: one.ready, state: state(one.ready) }, one),
  );
  return {
    ...pod,
    metadata: { ...pod.metadata, resourceVersion: "1" },
    status: { ...pod.status, ...(statuses && { containerStatuses: statuses }) },
  };
}

function state(ready: boolean) {
  return ready ? { running: { startedAt: "2019-05-05T05:05:05Z" } } : { waiting: { reason: "ContainerCreating" } };
}

/**
 * What both write in the same shape: images, roles and versions, hashes of all SidecarSets, the injected list, and the
 * imageID from which an in-place update went. Times and what only we write are left out.
 */
export function essence(pod: Pod, name: string): unknown {
  const { annotations = {} } = pod.metadata;
  const roles = Object.entries(annotations).filter(([key]) => key === WORKING_ANNOTATION || key.startsWith("version"));
  return {
    images: Object.fromEntries(pod.spec.containers.map((one) => [one.name, one.image])),
    annotations: Object.fromEntries(roles),
    hashes: hashesIn(annotations[HASH_ANNOTATION]),
    hashesWithoutImage: hashesIn(annotations[HASH_WITHOUT_IMAGE_ANNOTATION]),
    injected: annotations[INJECTED_LIST_ANNOTATION],
    from: imagesBefore(annotations[IN_PLACE_STATE_ANNOTATION], name),
  };
}

/** By SidecarSet; an entry in the old form is the hash itself, and a text that is none of both is compared as it is. */
function hashesIn(text: string | undefined): unknown {
  const hashes = parseObject(text) as Record<string, { hash?: string } | string> | undefined;
  if (hashes === undefined) return text;
  const entries = Object.entries(hashes);
  return Object.fromEntries(entries.map(([key, entry]) => [key, typeof entry === "string" ? entry : entry.hash]));
}

function imagesBefore(text: string | undefined, name: string): unknown {
  const state = parseObject(text) as
    | Record<string, { lastContainerStatuses?: Record<string, { imageID?: string }> }>
    | undefined;
  const containers = Object.entries(state?.[name]?.lastContainerStatuses ?? {});
  return Object.fromEntries(containers.map(([container, { imageID }]) => [container, imageID]));
}

function counters(status: SidecarSet["status"]): unknown {
  const { matchedPods = 0, updatedPods = 0, readyPods = 0, updatedReadyPods = 0 } = status ?? {};
  return { matchedPods, updatedPods, readyPods, updatedReadyPods };
}
