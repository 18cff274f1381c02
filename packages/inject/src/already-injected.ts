// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, type Container, type Pod } from "@hot/spec";
import type { BuiltContainer, BuiltSidecarSet } from "./build-sidecars.ts";
import { isInjected } from "./env.ts";
import { isInitialPair, workingSides } from "./hot-pair.ts";
import { hashesOf, parseHashes, sidecarList } from "./record.ts";

/**
 * Those that the pod has from this very injection, as on the second call of a webhook for one pod: same hash, every
 * container there, every hot pair as it was injected. What others have changed on the containers since then stays.
 * A pod that was copied from an older or upgraded one is not in that state and is injected afresh.
 */
export function alreadyInjected(pod: Pod, built: readonly BuiltSidecarSet[]): ReadonlySet<BuiltSidecarSet> {
  const { annotations = {} } = pod.metadata;
  const entries = parseHashes(annotations[HASH_ANNOTATION]) ?? {};
  const working = workingSides(annotations);
  const isPresent = ({ sidecarSet, initContainers, containers, pairs }: BuiltSidecarSet): boolean => {
    const name = sidecarSet.metadata.name ?? "";
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
    return (
      entry !== undefined &&
      entry.hash === hashesOf(sidecarSet).hash &&
      entry.sidecarList?.join() === sidecarList(sidecarSet).join() &&
      allPresent(initContainers, pod.spec.initContainers ?? []) &&
      allPresent(containers, pod.spec.containers) &&
      pairs.every((base) => isInitialPair(annotations, working, base))
    );
  };
  return new Set(built.filter(isPresent));
}

function allPresent(wanted: readonly BuiltContainer[], present: readonly Container[]): boolean {
  return wanted.every(({ container }) => present.some((one) => one.name === container.name && isInjected(one)));
}
