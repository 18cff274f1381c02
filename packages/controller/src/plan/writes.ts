// SPDX-License-Identifier: Apache-2.0
import { hashEntry, parseHashes, writeHash } from "@hot/inject";
import {
  HASH_ANNOTATION,
  hotUpgradePolicy,
  WORKING_ANNOTATION,
  type SidecarSet,
  parseObject,
  stringifySorted,
} from "@hot/spec";
import { toRfc3339 } from "../instant.ts";
import { versionKeys, type HotPair, type Side } from "./hot-pair.ts";
import { inPlaceState, readState } from "./in-place-state.ts";
import { generationObserved } from "./pod-state.ts";
import type { PodProjection } from "./pod-projection.ts";
import { recordAnnotation, type UpgradeFailure, type UpgradeRecord } from "./record.ts";
import { emptied, type Images } from "./safety.ts";
import type { WriteKind } from "./snapshot.ts";
import { onSpecImage } from "./spec-image.ts";
import { hashOf, podHash, podRevision } from "./upgradable.ts";

/** One PATCH of a pod, valid only for the resourceVersion that it was planned on. */
export interface PodWrite {
  readonly kind: Exclude<WriteKind, "condition">;
  readonly annotations: Readonly<Record<string, string>>;
  readonly images: Images;
  /** Its `patchPodMetadata` is applied to what the pod is annotated with at the time of the write. */
  readonly metadataOf?: SidecarSet;
}

/** A pair that is to be upgraded: the standby becomes the target. */
export interface PairStart {
  readonly pair: HotPair;
  readonly serving: Side;
  readonly standby: Side;
  readonly image: string;
  /** Of the upgrade that has failed, and that this one takes the place of: the standby is not empty. */
  readonly instead?: UpgradeRecord;
}

/** UPGRADE: all containers of a SidecarSet in one pod, hot and cold. */
export function upgradeWrite(
  pod: PodProjection,
  sidecarSet: SidecarSet,
  pairs: readonly PairStart[],
  cold: Images,
  now: number,
): PodWrite {
  const name = sidecarSet.metadata.name ?? "";
  const hash = hashOf(sidecarSet);
  const hot: Images = Object.fromEntries(pairs.map((one) => [one.standby.container.name, one.image]));
  const changed = [...Object.keys(hot), ...Object.keys(cold)];
  const targets = Object.fromEntries(pairs.map((one) => [one.pair.base, one.standby.container.name]));
  return {
    kind: "upgrade",
    images: { ...hot, ...cold },
    ...metadataOf(sidecarSet),
    annotations: {
      ...Object.assign({}, ...pairs.map((one) => startAnnotations(pod, sidecarSet, one, changed.length === 1, now))),
      ...(pairs.length > 0 && workingAnnotation(pod, targets)),
      ...inPlaceState(pod, name, hash, changed, now),
      ...setHash(pod, sidecarSet, hash, now),
    },
  };
}

function startAnnotations(
  pod: PodProjection,
  sidecarSet: SidecarSet,
  { pair, serving, standby, image, instead }: PairStart,
  isAlone: boolean,
  now: number,
): Record<string, string> {
  const target = versionKeys(standby.container.name);
  const old = versionKeys(serving.container.name);
  const version = nextVersion(pair, sidecarSet).toString();
  const name = sidecarSet.metadata.name ?? "";
  const prevRevision = instead !== undefined ? instead.prevRevision : isAlone ? podRevision(pod, name) : undefined;
  const known = {
    to: image,
    from: serving.container.image,
    empty: instead?.empty ?? standby.container.image,
    prevHash: isAlone ? podHash(pod, name) : "",
    ...(prevRevision !== undefined && { prevRevision }),
    containerID: standby.container.status?.containerID ?? "",
    imageID: standby.container.status?.imageID ?? "",
    generation: nextGeneration(pod),
    version,
    ...(generationObserved(pod) && onSpecImage(serving) && { fromImageID: serving.container.status?.imageID ?? "" }),
    ...(instead && before(instead)),
  };
  return {
    [target.version]: version,
    [target.alt]: (serving.version ?? 0n).toString(),
    [old.alt]: version,
    ...recordAnnotation(pair.base, newRecord(sidecarSet, known, now)),
  };
}

/** What an upgrade has found, where it is replaced by another one. */
function before({ prevHash, fromImageID }: UpgradeRecord) {
  return {
    prevHash,
    ...(fromImageID !== undefined && { fromImageID }),
    instead: true as const,
  };
}

type Known = "to" | "from" | "empty" | "prevHash" | "containerID" | "imageID" | "generation";

type Observed = Pick<UpgradeRecord, Known> & Partial<Pick<UpgradeRecord, "prevRevision" | "fromImageID" | "version">>;

function newRecord(sidecarSet: SidecarSet, known: Observed, now: number): UpgradeRecord {
  const policy = hotUpgradePolicy(sidecarSet);
  return {
    ...known,
    deadlineAt: toRfc3339(now + policy.progressDeadlineSeconds * 1000),
    minReady: policy.minReadySeconds,
    onFailure: policy.onFailure,
    sidecarSet: sidecarSet.metadata.name ?? "",
    phase: "upgrade",
  };
}

/** ADOPT: a record for an upgrade that somebody else started. It changes nothing but our own annotation and `working`. */
export function adoptWrite(
  pod: PodProjection,
  sidecarSet: SidecarSet,
  pair: HotPair,
  { target, old }: { target: Side; old: Side },
  empty: string,
  now: number,
): PodWrite {
  const before = readState(pod, sidecarSet.metadata.name ?? "")?.lastContainerStatuses[target.container.name];
  const known = {
    to: givenTo(pod, sidecarSet, pair.base, old) ?? target.container.image,
    from: old.container.image,
    empty,
    prevHash: "",
    containerID: "",
    imageID: before?.imageID ?? "",
    generation: pod.generation,
    ...(target.version !== undefined && { version: target.version.toString() }),
  };
  const annotations = {
    ...recordAnnotation(pair.base, newRecord(sidecarSet, known, now)),
    ...workingAnnotation(pod, { [pair.base]: target.container.name }),
  };
  return { kind: "adopt", images: {}, annotations };
}

/**
 * The image that whoever marked the pod as updated has given the pair, whatever a webhook has made of it. Where the old
 * side has it, the pod was only marked.
 */
function givenTo(pod: PodProjection, sidecarSet: SidecarSet, base: string, old: Side): string | undefined {
  if (podHash(pod, sidecarSet.metadata.name ?? "") !== hashOf(sidecarSet)) return undefined;
  const image = sidecarSet.spec.containers?.find((one) => one.name === base)?.image;
  return image === old.container.image ? undefined : image;
}

/**
 * RESET: the old side is emptied. Undefined where the safety rule refuses it.
 *
 * @param isMarkedFalsely - the hash entry says that the pod has what it has not
 */
export function resetWrite(
  pod: PodProjection,
  base: string,
  { target, old, record }: { target: Side; old: Side; record: UpgradeRecord },
  isMarkedFalsely: boolean,
  now: number,
): PodWrite | undefined {
  const images = emptied(old, target, record.empty);
  if (images === undefined) return undefined;
  const toImageID = target.container.status?.imageID ?? "";
  const to = target.container.image;
  const after = { ...record, to, toImageID, phase: "reset" as const, generation: nextGeneration(pod) };
  return {
    kind: "reset",
    images,
    annotations: {
      [versionKeys(old.container.name).version]: "0",
      [versionKeys(target.container.name).alt]: "0",
      ...recordAnnotation(base, after),
      ...inPlaceState(pod, record.sidecarSet, podHash(pod, record.sidecarSet), Object.keys(images), now),
      ...(isMarkedFalsely && clearHash(pod, record.sidecarSet, now)),
    },
  };
}

/** How long the hook of an aborted container may go on unnoticed, in milliseconds; hooks bound themselves to less. */
const HOOK_GRACE = 120_000;

/** ABORT: the target side is emptied again. Undefined where the safety rule refuses it. */
export function abortWrite(
  pod: PodProjection,
  base: string,
  { target, old, record, unanswered }: { target: Side; old: Side; record: UpgradeRecord; unanswered?: true },
  failed: UpgradeFailure | undefined,
  now: number,
): PodWrite | undefined {
  const images = emptied(target, old, record.empty);
  if (images === undefined) return undefined;
  const after = {
    ...record,
    phase: "abort" as const,
    generation: nextGeneration(pod),
    deadlineAt: toRfc3339(now + HOOK_GRACE),
    ...(unanswered && { unanswered }),
    ...(failed && { failed }),
  };
  return {
    kind: "abort",
    images,
    annotations: {
      [versionKeys(target.container.name).version]: "0",
      [versionKeys(old.container.name).alt]: "0",
      ...recordAnnotation(base, after),
      ...workingAnnotation(pod, { [base]: old.container.name }),
      ...inPlaceState(pod, record.sidecarSet, record.prevHash, Object.keys(images), now),
      ...resetHash(pod, record, now),
    },
  };
}

/** MARK: the pod runs what is wanted already. */
export function markWrite(pod: PodProjection, sidecarSet: SidecarSet, now: number): PodWrite {
  const annotations = setHash(pod, sidecarSet, hashOf(sidecarSet), now);
  return { kind: "mark", images: {}, annotations, ...metadataOf(sidecarSet) };
}

function metadataOf(sidecarSet: SidecarSet): Pick<PodWrite, "metadataOf"> {
  return (sidecarSet.spec.patchPodMetadata ?? []).length > 0 ? { metadataOf: sidecarSet } : {};
}

/** Greater than every version of the pair, so that the later upgrade has the greater version whatever happened before. */
export function nextVersion({ sides }: HotPair, sidecarSet: SidecarSet | undefined): bigint {
  const [first, second] = sides.map((side) => (side.version ?? 0n) + 1n);
  const candidates = [first ?? 1n, second ?? 1n, resourceVersion(sidecarSet)];
  return candidates.reduce((a, b) => (a > b ? a : b));
}

export function resourceVersion(sidecarSet: SidecarSet | undefined): bigint {
  const text = sidecarSet?.metadata.resourceVersion ?? "";
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}

export function workingAnnotation(pod: PodProjection, sides: Readonly<Record<string, string>>): Record<string, string> {
  const before = parseObject(pod.annotations[WORKING_ANNOTATION]) ?? {};
  return { [WORKING_ANNOTATION]: stringifySorted({ ...before, ...sides }) };
}

/** The write has a precondition, so it produces exactly the next generation, where pods have one. */
function nextGeneration(pod: PodProjection): number {
  return pod.generation === 0 ? 0 : pod.generation + 1;
}

function setHash(pod: PodProjection, sidecarSet: SidecarSet, hash: string, now: number): Record<string, string> {
  return putEntry(pod, hashEntry(sidecarSet, HASH_ANNOTATION, hash, toRfc3339(now)));
}

/** The entry before the upgrade. That of the aborted one must not stay: the history is cut by what pods name. */
function resetHash(
  pod: PodProjection,
  { sidecarSet: name, prevHash, prevRevision }: UpgradeRecord,
  now: number,
): Record<string, string> {
  const { controllerRevision: _, ...entry } = parseHashes(pod.annotations[HASH_ANNOTATION])?.[name] ?? {};
  return putEntry(pod, {
    ...entry,
    sidecarSetName: name,
    hash: prevHash,
    updateTimestamp: toRfc3339(now),
    ...(prevRevision !== undefined && prevHash !== "" && { controllerRevision: prevRevision }),
  });
}

/** The pod runs what no hash stands for. */
export function clearHash(pod: PodProjection, name: string, now: number): Record<string, string> {
  if (podHash(pod, name) === "") return {};
  const { controllerRevision: _, ...entry } = parseHashes(pod.annotations[HASH_ANNOTATION])?.[name] ?? {};
  return putEntry(pod, { ...entry, sidecarSetName: name, hash: "", updateTimestamp: toRfc3339(now) });
}

/** An annotation that can't be read is started afresh; it counts as "no hash" everywhere. */
function putEntry(pod: PodProjection, entry: Parameters<typeof writeHash>[2]): Record<string, string> {
  const text = pod.annotations[HASH_ANNOTATION];
  const readable = text === undefined || parseHashes(text) === undefined ? {} : { [HASH_ANNOTATION]: text };
  return writeHash(readable, HASH_ANNOTATION, entry);
}
