// SPDX-License-Identifier: Apache-2.0
import { parseHashes } from "@hot/inject";
import {
  HASH_ANNOTATION,
  pairNames,
  VERSION_ALT_ANNOTATION_PREFIX,
  VERSION_ANNOTATION_PREFIX,
  WORKING_ANNOTATION,
  type SidecarSet,
  parseObject,
} from "@hot/spec";
import type { PodProjection } from "./pod-projection.ts";
import { isTargetOf, recordedBases, recordsOf, type UpgradeRecord } from "./record.ts";
import { knownImageID, type SeenContainer } from "./spec-image.ts";

/** One of the two containers of a hot pair. */
export interface Side extends SeenContainer {
  /** Absent: the annotation is missing or no number that a process takes. */
  readonly version?: bigint;
}

export interface HotPair {
  readonly base: string;
  readonly sides: readonly [first: Side, second: Side];
  /** Container that the working annotation names. */
  readonly working?: string;
  /** As found; whether it counts is decided by {@link rolesOf}. */
  readonly record?: UpgradeRecord;
}

/** Who is who, by the version annotations alone: never by the SidecarSet's present empty image. */
export type Roles =
  | { readonly state: "settled"; readonly serving: Side; readonly standby: Side }
  | { readonly state: "upgrading"; readonly target: Side; readonly old: Side; readonly record?: UpgradeRecord }
  | { readonly state: "contradictory"; readonly why: string };

/** The hot pairs of a pod that belong to a SidecarSet: those it declares, has injected, or that its records name. */
export function hotPairs(pod: PodProjection, name: string, sidecarSet: SidecarSet | undefined): HotPair[] {
  const declared = (sidecarSet?.spec.containers ?? []).filter(isHot).map((container) => container.name);
  const bases = new Set([...declared, ...injectedBases(pod, name), ...recordedBases(pod.annotations, name)]);
  return [...bases].sort().flatMap((base) => readPair(pod, base) ?? []);
}

/** By the pod's own hash entry, so that a pair outlives its SidecarSet. */
function injectedBases({ annotations }: PodProjection, name: string): string[] {
  const names = parseHashes(annotations[HASH_ANNOTATION])?.[name]?.sidecarList ?? [];
  return names.filter((base) => pairNames(base).every((side) => versionKeys(side).version in annotations));
}

export function isHot(container: { upgradeStrategy?: { upgradeType?: string } }): boolean {
  return container.upgradeStrategy?.upgradeType === "HotUpgrade";
}

/** A pair of a pod; undefined unless both containers are there. */
export function readPair(pod: PodProjection, base: string): HotPair | undefined {
  const record = recordsOf(pod.annotations).get(base);
  const [first, second] = pairNames(base).map((name) => readSide(pod, name, record));
  if (first === undefined || second === undefined) return undefined;
  const working = parseObject(pod.annotations[WORKING_ANNOTATION])?.[base];
  return {
    base,
    sides: [first, second],
    ...(typeof working === "string" && { working }),
    ...(record !== undefined && { record }),
  };
}

function readSide(pod: PodProjection, name: string, record: UpgradeRecord | undefined): Side | undefined {
  const container = pod.containers.find((one) => one.name === name);
  if (container === undefined) return undefined;
  const version = readVersion(pod.annotations[VERSION_ANNOTATION_PREFIX + name]);
  const imageID = knownImageID(pod, container, record, version);
  return { container, ...(version !== undefined && { version }), ...(imageID !== undefined && { imageID }) };
}

/** All that is less than 2^64 for certain, also with the next one: no process takes a greater version. */
const VERSION = /^\d{1,19}$/;

function readVersion(text: string | undefined): bigint | undefined {
  return text !== undefined && VERSION.test(text) ? BigInt(text) : undefined;
}

/** The annotation keys of one side's versions. */
export function versionKeys(container: string): { version: string; alt: string } {
  return { version: VERSION_ANNOTATION_PREFIX + container, alt: VERSION_ALT_ANNOTATION_PREFIX + container };
}

/** The state of a pair. Images are compared only with each other and with the pair's own record. */
export function rolesOf(pair: HotPair): Roles {
  const [first, second] = pair.sides;
  if (first.version === undefined || second.version === undefined) {
    return { state: "contradictory", why: "a version annotation is missing or is no number" };
  }
  if (first.version === 0n && second.version === 0n) return { state: "contradictory", why: "both versions are 0" };
  const empty = pair.record?.empty;
  if (first.version !== 0n && second.version !== 0n) return upgradingRoles(pair, empty);
  const [serving, standby] = first.version === 0n ? [second, first] : [first, second];
  if (serving.container.image === standby.container.image) {
    return { state: "contradictory", why: `both sides have the image ${serving.container.image}` };
  }
  if (empty !== undefined && serving.container.image === empty) {
    return { state: "contradictory", why: `${serving.container.name} should serve and has the empty image ${empty}` };
  }
  return { state: "settled", serving, standby };
}

function upgradingRoles({ sides, record }: HotPair, empty: string | undefined): Roles {
  const [first, second] = sides;
  const emptied = sides.find((side) => side.container.image === empty);
  if (emptied !== undefined) {
    return { state: "contradictory", why: `${emptied.container.name} has a version and the empty image ${empty}` };
  }
  if (first.version === second.version) return { state: "contradictory", why: "both versions are the same" };
  const [target, old] = newer(first, second) ? [first, second] : [second, first];
  const counts =
    record?.phase === "upgrade" &&
    isTargetOf(record, target.version, target.container.image) &&
    (record.version !== undefined || record.from === old.container.image);
  return { state: "upgrading", target, old, ...(counts && { record }) };
}

function newer(a: Side, b: Side): boolean {
  return (a.version ?? 0n) > (b.version ?? 0n);
}

/** The side whose image the pair's wish is compared with: the one that serves, or is to serve. */
export function servingImage(roles: Roles): string | undefined {
  if (roles.state === "settled") return roles.serving.container.image;
  return roles.state === "upgrading" ? roles.target.container.image : undefined;
}
