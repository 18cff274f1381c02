// SPDX-License-Identifier: Apache-2.0
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  sidecarSetHashes,
  type SidecarSet,
  type SidecarSetHashes,
  parseObject,
  stringifySorted,
} from "@hot/spec";
import { oncePer } from "./once-per.ts";
import { InjectionDenied, shown } from "./report.ts";

/** One SidecarSet's entry in the two hash annotations of a pod, in Kruise's shape. */
export interface HashEntry {
  /** RFC 3339, UTC, whole seconds. */
  updateTimestamp?: string | null;
  hash: string;
  sidecarSetName?: string;
  /** Sorted base names: containers and native sidecars. */
  sidecarList?: string[] | null;
  /** Name of the ControllerRevision; only in the annotation with images. */
  controllerRevision?: string;
}

type HashAnnotation = typeof HASH_ANNOTATION | typeof HASH_WITHOUT_IMAGE_ANNOTATION;

/**
 * The entries of a hash annotation, by SidecarSet; absent or empty gives none. The old form `{"<name>":"<hash>"}` is
 * read too. `undefined`: neither form.
 */
export function parseHashes(text: string | undefined): Record<string, HashEntry> | undefined {
  if (text === undefined || text === "") return {};
  const object = parseObject(text);
  if (object === undefined) return undefined;
  const entries = Object.entries(object);
  if (entries.every(([, value]) => typeof value === "string")) {
    return Object.fromEntries(entries.map(([name, hash]) => [name, { hash: hash as string, sidecarSetName: "" }]));
  }
  return entries.every(([, value]) => isHashEntry(value)) ? (object as Record<string, HashEntry>) : undefined;
}

function isHashEntry(value: unknown): value is HashEntry {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { hash, sidecarList } = value as Record<string, unknown>;
  const list = sidecarList ?? [];
  return (
    (hash === undefined || typeof hash === "string") &&
    Array.isArray(list) &&
    list.every((name) => typeof name === "string")
  );
}

/** The sorted base names of what a SidecarSet keeps running in a pod: containers and native sidecars. */
export const sidecarList = oncePer(({ spec }: SidecarSet): string[] => {
  const native = (spec.initContainers ?? []).filter((container) => container.restartPolicy === "Always");
  return [...(spec.containers ?? []), ...native].map((container) => container.name).sort();
});

/** The hash entry that this SidecarSet leaves in a pod. */
export function hashEntry(sidecarSet: SidecarSet, annotation: HashAnnotation, hash: string, now: string): HashEntry {
  const revision = annotation === HASH_ANNOTATION ? sidecarSet.status?.latestRevision : undefined;
  return {
    updateTimestamp: now,
    hash,
    sidecarSetName: sidecarSet.metadata.name ?? "",
    sidecarList: sidecarList(sidecarSet),
    ...(revision !== undefined && revision !== "" && { controllerRevision: revision }),
  };
}

/**
 * Sets the entries of SidecarSets in a hash annotation and converts old entries, which carry no time, to the new form.
 *
 * @throws {InjectionDenied} when the annotation has neither form
 */
export function writeHash(
  annotations: Record<string, string>,
  annotation: HashAnnotation,
  ...written: readonly HashEntry[]
): Record<string, string> {
  const entries = parseHashes(annotations[annotation]);
  if (entries === undefined) {
    throw new InjectionDenied(
      written[0]?.sidecarSetName ?? "",
      "BadHashAnnotation",
      `metadata.annotations["${annotation}"] is neither a map of entries nor a map of hashes: ${shown(annotations[annotation] ?? "")}`,
    );
  }
  const dated = Object.entries(entries).map(([key, value]) => [
    key,
    value.sidecarSetName === "" && value.updateTimestamp === undefined
      ? { updateTimestamp: written[0]?.updateTimestamp, ...value }
      : value,
  ]);
  const own = written.map((entry) => [entry.sidecarSetName ?? "", entry]);
  return { ...annotations, [annotation]: stringifySorted(Object.fromEntries([...dated, ...own])) };
}

/** Adds names to the injected list, which stays sorted and without doubles. */
export function writeInjectedList(
  annotations: Record<string, string>,
  names: readonly string[],
): Record<string, string> {
  const present = (annotations[INJECTED_LIST_ANNOTATION] ?? "").split(",").filter((name) => name !== "");
  const all = [...new Set([...present, ...names])].sort();
  return { ...annotations, [INJECTED_LIST_ANNOTATION]: all.join(",") };
}

/** The two hashes that the defaulting webhook has written on a SidecarSet; computed where it has not. */
export function hashesOf(sidecarSet: SidecarSet): SidecarSetHashes {
  const { [HASH_ANNOTATION]: hash, [HASH_WITHOUT_IMAGE_ANNOTATION]: hashWithoutImage } =
    sidecarSet.metadata.annotations ?? {};
  if (hash !== undefined && hashWithoutImage !== undefined) return { hash, hashWithoutImage };
  return computedHashes(sidecarSet);
}

const computedHashes = oncePer((sidecarSet: SidecarSet) => sidecarSetHashes(sidecarSet));
