// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, HASH_WITHOUT_IMAGE_ANNOTATION, type Container, type Pod, type Volume } from "@hot/spec";
import type { BuiltContainer, BuiltSidecarSet } from "./build-sidecars.ts";
import { annotatePairs } from "./hot-pair.ts";
import { jsonEqual, type Json } from "./json-pointer.ts";
import { checkNames, completeContainer, mergeContainers } from "./merge-containers.ts";
import { hashEntry, hashesOf, writeHash, writeInjectedList, type HashEntry } from "./record.ts";
import { MAX_CONTAINERS } from "./pod-shape.ts";
import { InjectionDenied, warning } from "./report.ts";

export interface AssembleOptions {
  now: string;
  sortByName: boolean;
}

/**
 * Puts the built SidecarSets into the pod: containers, volumes, pull secrets, annotations.
 *
 * @param present - those that the pod has already; they are completed, not replaced, and their record stays
 * @throws {InjectionDenied} on a name that is taken or an unreadable hash annotation
 */
export function assemblePod(
  pod: Pod,
  built: readonly BuiltSidecarSet[],
  present: ReadonlySet<BuiltSidecarSet>,
  { now, sortByName }: AssembleOptions,
): { pod: Pod; warnings: string[] } {
  const { spec } = pod;
  const inits = byName(built.flatMap((one) => one.initContainers));
  const sidecars = built.flatMap((one) => one.containers);
  const taken = new Map<string, string>();
  checkNames(inits, spec.initContainers ?? [], spec.containers, taken);
  checkNames(sidecars, spec.containers, spec.initContainers ?? [], taken);

  const completed = new Set([...present].map((one) => one.sidecarSet.metadata.name));
  const merge = (list: readonly Container[], wanted: readonly BuiltContainer[]): Container[] => {
    const finished = wanted.map((one) => {
      const before = completed.has(one.sidecarSet) ? list.find((each) => each.name === one.container.name) : undefined;
      return before === undefined ? one : { ...one, container: completeContainer(before, one.container) };
    });
    return mergeContainers(list, finished);
  };
  const initContainers = inits.length > 0 ? merge(spec.initContainers ?? [], inits) : spec.initContainers;
  const containers = merge(spec.containers, sortByName ? byName(sidecars) : sidecars);
  checkCount("initContainers", initContainers);
  checkCount("containers", containers);
  const warnings: string[] = [];
  const volumes = mergeVolumes(pod, built, present, warnings);
  const secrets = mergeSecrets(spec.imagePullSecrets ?? [], built);
  return {
    pod: {
      ...pod,
      metadata: { ...pod.metadata, annotations: annotate(pod.metadata.annotations ?? {}, built, present, now) },
      spec: {
        ...spec,
        ...(initContainers !== undefined && { initContainers }),
        containers,
        ...(volumes.length > 0 && { volumes }),
        ...(secrets.length > 0 && { imagePullSecrets: secrets }),
      },
    },
    warnings,
  };
}

/** As for the pod's own: another injection, as on a reinvocation, would refuse what this one has made. */
function checkCount(list: string, containers: readonly Container[] = []): void {
  if (containers.length <= MAX_CONTAINERS) return;
  const sentence = `pod.spec.${list} has more than ${MAX_CONTAINERS} entries with those of the SidecarSets`;
  throw new InjectionDenied("", "PodMalformed", sentence);
}

/** Stable: containers of one name keep the order of their SidecarSets. */
function byName(containers: readonly BuiltContainer[]): BuiltContainer[] {
  return [...containers].sort((a, b) =>
    a.container.name === b.container.name ? 0 : a.container.name < b.container.name ? -1 : 1,
  );
}

function mergeVolumes(
  pod: Pod,
  built: readonly BuiltSidecarSet[],
  present: ReadonlySet<BuiltSidecarSet>,
  warnings: string[],
): Volume[] {
  const own = pod.spec.volumes ?? [];
  const names = new Set(
    built.flatMap(({ volumes }) => [...volumes.volumes.map((one) => one.name), ...volumes.unknown]),
  );
  const added: Volume[] = [];
  const known = new Map(own.filter((volume) => names.has(volume.name)).map((volume) => [volume.name, volume]));
  for (const one of built) {
    const name = one.sidecarSet.metadata.name ?? "";
    for (const volume of one.volumes.volumes) {
      const kept = known.get(volume.name);
      if (kept === undefined) {
        added.push(volume);
        known.set(volume.name, volume);
      } else if (!present.has(one) && !jsonEqual(kept as Json, volume as Json)) {
        warnings.push(warning("VolumeKept", `SidecarSet ${name}: volume ${volume.name} is there already and was kept`));
      }
    }
  }
  for (const one of built) {
    for (const missing of one.volumes.unknown.filter((name) => !known.has(name))) {
      const name = one.sidecarSet.metadata.name ?? "";
      const sentence = `SidecarSet ${name} mounts volume ${missing}, which neither its spec.volumes nor the pod has`;
      warnings.push(warning("VolumeMissing", sentence));
    }
  }
  return [...own, ...added];
}

/** The pod's own pull secrets as they are, then those that are new. */
function mergeSecrets(own: readonly { name?: string }[], built: readonly BuiltSidecarSet[]): { name?: string }[] {
  const added = new Map<string, { name?: string }>();
  for (const secret of built.flatMap((one) => one.sidecarSet.spec.imagePullSecrets ?? [])) {
    if (!added.has(secret.name ?? "")) added.set(secret.name ?? "", secret);
  }
  for (const { name = "" } of own) added.delete(name);
  return [...own, ...added.values()];
}

function annotate(
  before: Record<string, string>,
  built: readonly BuiltSidecarSet[],
  present: ReadonlySet<BuiltSidecarSet>,
  now: string,
): Record<string, string> {
  const names = built.map((one) => one.sidecarSet.metadata.name ?? "");
  const recorded = built.filter((one) => one.containers.length + one.initContainers.length > 0 && !present.has(one));
  let annotations = writeInjectedList(before, names);
  if (recorded.length === 0) return annotations;
  annotations = annotatePairs(
    annotations,
    recorded.flatMap((one) => one.pairs),
  );
  for (const [annotation, which] of HASHES) {
    const entry = ({ sidecarSet }: BuiltSidecarSet): HashEntry =>
      hashEntry(sidecarSet, annotation, hashesOf(sidecarSet)[which], now);
    annotations = writeHash(annotations, annotation, ...recorded.map(entry));
  }
  return annotations;
}

const HASHES = [
  [HASH_ANNOTATION, "hash"],
  [HASH_WITHOUT_IMAGE_ANNOTATION, "hashWithoutImage"],
] as const;
