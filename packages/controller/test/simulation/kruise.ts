// SPDX-License-Identifier: Apache-2.0
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  IN_PLACE_STATE_ANNOTATION,
  parseObject,
  VERSION_ALT_ANNOTATION_PREFIX,
  VERSION_ANNOTATION_PREFIX,
  WORKING_ANNOTATION,
  type Pod,
  type SidecarSet,
} from "@hot/spec";
import type { Cluster } from "./cluster.ts";
import { isObserved, isSeenServing, pairFacts, type PairFacts, type SideFacts } from "./pod-facts.ts";
import type { World } from "./world.ts";

/** Kruise writes in between: it starts an upgrade or resets one as it does, and knows nothing of records. */
export function kruiseWrites(world: World, cluster: Cluster): void {
  const { server, random } = world;
  const scope = cluster.scope("mesh");
  const sidecarSet = server.sidecarSet(scope.name);
  const keys = [...cluster.places.keys()];
  if (sidecarSet === undefined || keys.length === 0) return;
  const key = random.pick(keys);
  const pod = server.pod(key);
  const base = random.pick(scope.bases);
  const image = cluster.scope("mesh").wish.hot[base] ?? "";
  if (pod === undefined || cluster.places.get(key)?.injected.has(scope.name) !== true) return;
  const pair = pairFacts(pod, base);
  const { serving } = pair;
  const version = BigInt(sidecarSet.metadata.resourceVersion ?? "0");
  if (serving !== undefined) {
    const can = cluster.scope("mesh").wish.strategy.paused !== true && isUpgradable(pod, sidecarSet);
    if (can && serving.image !== image && version > serving.version)
      upgrade(world, cluster, key, pod, sidecarSet, pair, serving);
  } else if (pair.isUpgrading) reset(world, cluster, key, pod, pair);
}

/** To Kruise another empty image is a change of more than images. */
function isUpgradable({ metadata }: Pod, sidecarSet: SidecarSet): boolean {
  const hashes = parseObject(metadata.annotations?.[HASH_WITHOUT_IMAGE_ANNOTATION]) ?? {};
  return Object(hashes["mesh"]).hash === sidecarSet.metadata.annotations?.[HASH_WITHOUT_IMAGE_ANNOTATION];
}

function upgrade(
  world: World,
  cluster: Cluster,
  key: string,
  pod: Pod,
  { metadata }: SidecarSet,
  { base, sides }: PairFacts,
  serving: SideFacts,
): void {
  const target = sides.find((side) => side !== serving)!;
  const version = metadata.resourceVersion ?? "";
  const machine = cluster.machines.get(key);
  machine?.nth.set(target.container, ++machine.upgrades);
  world.note(() => `Kruise: upgrades ${key} ${target.container} to ${cluster.scope("mesh").wish.hot[base]}`);
  const hashes = parseObject(pod.metadata.annotations?.[HASH_ANNOTATION]) ?? {};
  const entry = { ...Object(hashes["mesh"]), hash: metadata.annotations?.[HASH_ANNOTATION] };
  const working = parseObject(pod.metadata.annotations?.[WORKING_ANNOTATION]) ?? {};
  write(
    world,
    key,
    pod,
    { [target.container]: cluster.scope("mesh").wish.hot[base] ?? "" },
    {
      [VERSION_ANNOTATION_PREFIX + target.container]: version,
      [VERSION_ALT_ANNOTATION_PREFIX + target.container]: String(serving.version),
      [VERSION_ALT_ANNOTATION_PREFIX + serving.container]: version,
      [WORKING_ANNOTATION]: JSON.stringify({ ...working, [base]: target.container }),
      [HASH_ANNOTATION]: JSON.stringify({ ...hashes, mesh: entry }),
      ...inPlaceState(pod, target),
    },
  );
}

/** Only where it does no harm: what Kruise breaks by itself is not looked for. */
function reset(world: World, cluster: Cluster, key: string, pod: Pod, { sides }: PairFacts): void {
  const [target, old] = sides[0].version > sides[1].version ? sides : [sides[1], sides[0]];
  const process = cluster.machines.get(key)?.of(target.container);
  const isOver =
    isSeenServing(target) &&
    isObserved(pod) &&
    pod.status?.observedGeneration !== undefined &&
    process?.state === "running" &&
    process.took &&
    process.image === target.image &&
    process.containerID === target.status?.containerID;
  if (!isOver) return;
  world.note(() => `Kruise: resets ${key} ${old.container} to ${cluster.scope("mesh").wish.empty}`);
  write(
    world,
    key,
    pod,
    { [old.container]: cluster.scope("mesh").wish.empty },
    {
      [VERSION_ANNOTATION_PREFIX + old.container]: "0",
      [VERSION_ALT_ANNOTATION_PREFIX + target.container]: "0",
      ...inPlaceState(pod, old),
    },
  );
}

function inPlaceState(pod: Pod, { container, status }: SideFacts): Record<string, string> {
  const all = parseObject(pod.metadata.annotations?.[IN_PLACE_STATE_ANNOTATION]) ?? {};
  const state = { lastContainerStatuses: { [container]: { imageID: status?.imageID ?? "" } } };
  return { [IN_PLACE_STATE_ANNOTATION]: JSON.stringify({ ...all, mesh: state }) };
}

function write(
  world: World,
  key: string,
  pod: Pod,
  images: Record<string, string>,
  annotations: Record<string, string>,
): void {
  const { metadata, spec } = pod;
  world.server.put("pods", key, {
    ...pod,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
    spec: {
      ...spec,
      containers: spec.containers.map((one) => {
        const image = images[one.name];
        return image === undefined ? one : { ...one, image };
      }),
    },
  });
}
