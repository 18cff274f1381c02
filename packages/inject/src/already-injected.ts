// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, type Container, type Pod } from "@hot/spec";
import type { BuiltContainer, BuiltSidecarSet } from "./build-sidecars.ts";
import { isInjected } from "./env.ts";
import { isInitialPair } from "./hot-pair.ts";
import { hashesOf, parseHashes, sidecarList } from "./record.ts";

/**
 * Whether the pod comes from this very injection, as on the second call of a webhook for one pod: same hash, every
 * container there, every hot pair as it was injected. What others have changed on the containers since then stays.
 * A pod that was copied from an older or upgraded one is not in that state and is injected afresh.
 */
export function isAlreadyInjected(pod: Pod, built: BuiltSidecarSet): boolean {
  const annotations = pod.metadata.annotations ?? {};
  const name = built.sidecarSet.metadata.name ?? "";
  const entries = parseHashes(annotations[HASH_ANNOTATION]) ?? {};
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (entry === undefined) return false;
  return (
    entry.hash === hashesOf(built.sidecarSet).hash &&
    entry.sidecarList?.join() === sidecarList(built.sidecarSet).join() &&
    allPresent(built.initContainers, pod.spec.initContainers ?? []) &&
    allPresent(built.containers, pod.spec.containers) &&
    built.pairs.every((base) => isInitialPair(annotations, base))
  );
}

function allPresent(wanted: readonly BuiltContainer[], present: readonly Container[]): boolean {
  return wanted.every(({ container }) => present.some((one) => one.name === container.name && isInjected(one)));
}
