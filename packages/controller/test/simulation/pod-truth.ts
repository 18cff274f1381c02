// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, type Pod, type SidecarSet } from "@hot/spec";
import type { Cluster } from "./cluster.ts";
import { fateOf, originOf } from "./images.ts";
import { hashEntryOf, isHeard, isSeenServing, isSilent, pairFacts, type PairFacts } from "./pod-facts.ts";
import { isNewer, type Process } from "./process.ts";
import type { Scope } from "./scope.ts";

/** Whoever wished so: a new side that fails is not aborted. */
export function isLeftToFail(pairs: readonly PairFacts[]): boolean {
  return pairs.some(({ record, isUpgrading }) => isUpgrading && record?.onFailure === "Wait");
}

/**
 * More than images differs from what is wanted. To this belongs an empty image that the pod was not injected with: whoever
 * finishes an upgrade that Kruise began takes the SidecarSet's, and the pod's hash is still that of the one before. And
 * where a webhook has rewritten the empty image, nothing tells any more which one the hash of the pod stands for.
 */
export function isOtherwise(
  { metadata }: Pod,
  pairs: readonly PairFacts[],
  { name, wish }: Scope,
  { places }: Cluster,
): boolean {
  const injected = places.get(`ns1/${metadata.name}`)?.injected.get(name);
  const empties = pairs.flatMap(({ sides }) => sides.filter((side) => side.isEmpty).map((side) => side.image));
  const isOther = (image: string): boolean =>
    originOf(image) !== injected?.empty || (image !== injected.empty && wish.empty !== injected.empty);
  return injected?.env !== wish.env || empties.some(isOther);
}

/**
 * Lost, and the API shows it: nobody waits for it. Where the pod was not ready by itself, only a kubelet that says what it
 * has seen can be known to be silent; and a pod that has taken over and is not ready counts as any other that is not.
 */
export function isGone(pod: Pod, { bases }: Scope, cluster: Cluster): boolean {
  const records = bases.flatMap((base) => pairFacts(pod, base).record ?? []);
  const isUnheard = records.some((record) => record.phase !== "reset" && !isHeard(pod, record));
  return isLost(pod, cluster) && (isSilent(pod) || isUnheard);
}

export function isLost({ metadata }: Pod, cluster: Cluster): boolean {
  return cluster.isLost(`ns1/${metadata.name}`);
}

/** Something in it does not run for good, or nobody hears of it, is about to end again, or is left to fail. */
export function isDown(pod: Pod, cluster: Cluster): boolean {
  const processes = [...(cluster.machines.get(`ns1/${pod.metadata.name}`)?.processes.values() ?? [])];
  return (
    isLost(pod, cluster) ||
    processes.some((one) => one.state !== "running" || isEnding(one, cluster) || hangs(one)) ||
    isLeftToFail(cluster.bases.map((base) => pairFacts(pod, base)))
  );
}

/** By itself, or by its hook, again and again. */
function isEnding({ image }: Process, { hasHook }: Cluster): boolean {
  const fate = fateOf(image);
  return fate === "crash" || (fate === "badhook" && hasHook);
}

/** Its hook ends it again and again, as in an upgrade by Kruise that nobody can finish, since its SidecarSet is gone. */
function hangs(process: Process): boolean {
  return process.isDud && isNewer(process) && !process.took;
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}

export function isHalfDone(pod: Pod, { bases }: Scope): boolean {
  return bases.some((base) => {
    const { isSettled, serving, sides } = pairFacts(pod, base);
    return !isSettled || sides.some((side) => side !== serving && !isSeenServing(side));
  });
}

/** Hash and every serving image are what is wanted; of a pod in mid-upgrade the image that it upgrades to counts. */
export function isUpdated(pod: Pod, scope: Scope, { metadata }: SidecarSet): boolean {
  const { wish } = scope;
  return (
    hashEntryOf(pod, wish.name) === metadata.annotations?.[HASH_ANNOTATION] &&
    imagesOf(pod, scope).every(([image, wanted]) => originOf(image) === wanted)
  );
}

/** A webhook has made others of them. */
export function isRewritten(pod: Pod, scope: Scope): boolean {
  return imagesOf(pod, scope).some(([image, wanted]) => image !== wanted);
}

/** What serves, or is to serve, and what is wanted. */
function imagesOf(pod: Pod, { wish, bases, name: own }: Scope): [image: string, wanted: string | undefined][] {
  const cold = own === "mesh" ? pod.spec.containers.find(({ name }) => name === "c")?.image : undefined;
  const hot = bases.map((base): [string, string | undefined] => {
    const { sides } = pairFacts(pod, base);
    return [(sides[0].version > sides[1].version ? sides[0] : sides[1]).image, wish.hot[base]];
  });
  return cold === undefined && wish.cold === undefined ? hot : [...hot, [cold ?? "", wish.cold]];
}
