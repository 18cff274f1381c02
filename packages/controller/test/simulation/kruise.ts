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
import { originOf } from "./images.ts";
import { hashEntryOf, isObserved, isSeenServing, pairFacts, type PairFacts, type SideFacts } from "./pod-facts.ts";
import type { Wish } from "./sidecar-sets.ts";
import type { World } from "./world.ts";

/**
 * Kruise writes in between: it starts an upgrade of a pod or resets one as it does, all hot containers in one write, and
 * knows nothing of records, nor of what the kubelet has yet to do.
 */
export function kruiseWrites(world: World, cluster: Cluster): void {
  const { server, random } = world;
  const scope = cluster.scope("mesh");
  const sidecarSet = server.sidecarSet(scope.name);
  const keys = [...cluster.places.keys()];
  if (sidecarSet === undefined || keys.length === 0) return;
  const key = random.pick(keys);
  const pod = server.pod(key);
  if (pod === undefined || cluster.places.get(key)?.injected.has(scope.name) !== true) return;
  const one: Handled = { world, cluster, key, pod, sidecarSet, wish: scope.wish };
  const pairs = scope.bases.map((base) => pairFacts(pod, base));
  if (pairs.every((pair) => pair.isSettled)) upgrade(one, pairs);
  else if (pairs.every((pair) => pair.isSettled || pair.isUpgrading)) reset(one, pairs);
}

interface Handled {
  readonly world: World;
  readonly cluster: Cluster;
  readonly key: string;
  readonly pod: Pod;
  readonly sidecarSet: SidecarSet;
  readonly wish: Wish;
}

/** To Kruise another empty image is a change of more than images. */
function isUpgradable({ metadata }: Pod, sidecarSet: SidecarSet): boolean {
  const hashes = parseObject(metadata.annotations?.[HASH_WITHOUT_IMAGE_ANNOTATION]) ?? {};
  return Object(hashes["mesh"]).hash === sidecarSet.metadata.annotations?.[HASH_WITHOUT_IMAGE_ANNOTATION];
}

function upgrade(one: Handled, pairs: readonly PairFacts[]): void {
  const { world, cluster, key, pod, sidecarSet, wish } = one;
  const version = sidecarSet.metadata.resourceVersion ?? "0";
  const isMarked = hashEntryOf(pod, wish.name) === sidecarSet.metadata.annotations?.[HASH_ANNOTATION];
  const runs = ({ image = "" }: Partial<SideFacts>): string => (isMarked ? originOf(image) : image);
  const others = pairs.filter(({ base, serving }) => runs(serving ?? {}) !== wish.hot[base]);
  const isTurned = others.some(({ serving }) => serving !== undefined && serving.version >= BigInt(version));
  if (others.length === 0 || isTurned || wish.strategy.paused === true || !isUpgradable(pod, sidecarSet)) return;
  const machine = cluster.machines.get(key);
  const targets = others.flatMap(({ base, sides, serving }) => {
    const target = sides.find((side) => side !== serving);
    return target === undefined || serving === undefined
      ? []
      : [{ base, target, serving, image: wish.hot[base] ?? "" }];
  });
  for (const { target, image } of targets) {
    machine?.upgrade(target.container, BigInt(version));
    machine?.byKruise.set(target.container, version);
    world.note(() => `Kruise: upgrades ${key} ${target.container} to ${image}`);
  }
  const hashes = parseObject(pod.metadata.annotations?.[HASH_ANNOTATION]) ?? {};
  const { latestRevision } = sidecarSet.status ?? {};
  const recorded = latestRevision === undefined ? {} : { controllerRevision: latestRevision };
  const entry = { ...Object(hashes["mesh"]), hash: sidecarSet.metadata.annotations?.[HASH_ANNOTATION], ...recorded };
  const working = parseObject(pod.metadata.annotations?.[WORKING_ANNOTATION]) ?? {};
  write(
    one,
    {
      ...(wish.cold !== undefined && { c: wish.cold }),
      ...Object.fromEntries(targets.map(({ target, image }) => [target.container, image])),
    },
    {
      ...Object.fromEntries(
        targets.flatMap(({ target, serving }) => [
          [VERSION_ANNOTATION_PREFIX + target.container, version],
          [VERSION_ALT_ANNOTATION_PREFIX + target.container, String(serving.version)],
          [VERSION_ALT_ANNOTATION_PREFIX + serving.container, version],
        ]),
      ),
      [WORKING_ANNOTATION]: JSON.stringify({
        ...working,
        ...Object.fromEntries(targets.map(({ base, target }) => [base, target.container])),
      }),
      [HASH_ANNOTATION]: JSON.stringify({ ...hashes, mesh: entry }),
      ...inPlaceState(
        pod,
        targets.map(({ target }) => target),
      ),
    },
  );
}

/** Only where it does no harm: what Kruise breaks by itself is not looked for. */
function reset(one: Handled, pairs: readonly PairFacts[]): void {
  const { world, cluster, key, pod, wish } = one;
  const machine = cluster.machines.get(key);
  const upgrading = pairs
    .filter((pair) => pair.isUpgrading)
    .map(({ sides: [first, second] }) =>
      first.version > second.version ? { target: first, old: second } : { target: second, old: first },
    );
  const isOver = ({ target }: { target: SideFacts }): boolean => {
    const process = machine?.of(target.container);
    return (
      isSeenServing(target) &&
      isObserved(pod) &&
      pod.status?.observedGeneration !== undefined &&
      process?.state === "running" &&
      process.took &&
      process.image === target.image &&
      process.containerID === target.status?.containerID
    );
  };
  if (!upgrading.every(isOver)) return;
  for (const { old } of upgrading) world.note(() => `Kruise: resets ${key} ${old.container} to ${wish.empty}`);
  write(one, Object.fromEntries(upgrading.map(({ old }) => [old.container, wish.empty])), {
    ...Object.fromEntries(
      upgrading.flatMap(({ target, old }) => [
        [VERSION_ANNOTATION_PREFIX + old.container, "0"],
        [VERSION_ALT_ANNOTATION_PREFIX + target.container, "0"],
      ]),
    ),
    ...inPlaceState(
      pod,
      upgrading.map(({ old }) => old),
    ),
  });
}

function inPlaceState(pod: Pod, sides: readonly SideFacts[]): Record<string, string> {
  const all = parseObject(pod.metadata.annotations?.[IN_PLACE_STATE_ANNOTATION]) ?? {};
  const statuses = sides.map(({ container, status }) => [container, { imageID: status?.imageID ?? "" }]);
  const state = { lastContainerStatuses: Object.fromEntries(statuses) };
  return { [IN_PLACE_STATE_ANNOTATION]: JSON.stringify({ ...all, mesh: state }) };
}

function write(
  { world, key, pod }: Handled,
  images: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
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
