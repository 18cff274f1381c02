// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet } from "@hot/spec";
import { toRfc3339 } from "../instant.ts";
import { versionKeys, type HotPair, type Side } from "./hot-pair.ts";
import type { PodProjection } from "./pod-projection.ts";
import { observedServing } from "./pod-state.ts";
import { failureOf } from "./failure.ts";
import { isTargetOf, recordAnnotation } from "./record.ts";
import { hashOf, podHash } from "./upgradable.ts";
import { clearHash, nextVersion, workingAnnotation, type PodWrite } from "./writes.ts";

/** What is known of a pair from its SidecarSet. */
interface Declared {
  /** Used only where the pod has no record. */
  readonly empty: string | undefined;
  readonly image: string | undefined;
}

/**
 * Makes a contradictory pair settled again, from what runs; undefined where that can't be told. It never empties a
 * side: it corrects annotations, or, if both sides have the empty image, puts the pod's last serving image back.
 */
export function repairWrite(
  pod: PodProjection,
  pair: HotPair,
  sidecarSet: SidecarSet | undefined,
  now: number,
): PodWrite | undefined {
  const declared = declaredFor(pair, sidecarSet);
  const empty = pair.record?.empty ?? declared.empty;
  if (empty === undefined || empty === "") return undefined;
  const [first, second] = pair.sides;
  const [serving, ...others] = pair.sides.filter((side) => side.container.image !== empty);
  if (others.length > 0) return undefined;
  if (serving !== undefined) {
    return observedServing(serving)
      ? rewrite(pod, pair, serving, serving === first ? second : first, sidecarSet, {}, now)
      : undefined;
  }
  const target = pair.working === second.container.name ? second : first;
  const last = lastServing(pair) ?? declared.image;
  if (last === undefined || last === empty) return undefined;
  const images = { [target.container.name]: last };
  return rewrite(pod, pair, target, target === first ? second : first, sidecarSet, images, now);
}

function declaredFor({ base }: HotPair, sidecarSet: SidecarSet | undefined): Declared {
  const container = sidecarSet?.spec.containers?.find((one) => one.name === base);
  return { empty: container?.upgradeStrategy?.hotUpgradeEmptyImage, image: container?.image };
}

function lastServing({ record }: HotPair): string | undefined {
  if (record === undefined) return undefined;
  return record.phase === "reset" ? record.to : record.from;
}

function rewrite(
  pod: PodProjection,
  pair: HotPair,
  serving: Side,
  standby: Side,
  sidecarSet: SidecarSet | undefined,
  images: Readonly<Record<string, string>>,
  now: number,
): PodWrite {
  const started = Object.keys(images).length > 0;
  const keep = !started && serving.version !== undefined && serving.version !== 0n;
  const version = (keep ? serving.version : nextVersion(pair, sidecarSet)).toString();
  const [own, other] = [versionKeys(serving.container.name), versionKeys(standby.container.name)];
  return {
    kind: "repair",
    images,
    annotations: {
      [own.version]: version,
      [own.alt]: "0",
      [other.version]: "0",
      [other.alt]: version,
      ...workingAnnotation(pod, { [pair.base]: serving.container.name }),
      ...undoneRecord(pod, pair, sidecarSet, now),
      ...(!isMarkedRightly(pod, pair, images[serving.container.name] ?? serving.container.image, sidecarSet) &&
        clearHash(pod, sidecarSet?.metadata.name ?? pair.record?.sidecarSet ?? "", now)),
    },
  };
}

/** Whether the pod says of itself that it has what is wanted, and has it. */
function isMarkedRightly(
  pod: PodProjection,
  pair: HotPair,
  image: string,
  sidecarSet: SidecarSet | undefined,
): boolean {
  if (sidecarSet === undefined || podHash(pod, sidecarSet.metadata.name ?? "") !== hashOf(sidecarSet)) return false;
  return declaredFor(pair, sidecarSet).image === image;
}

/** A webhook has taken the new image back in the very write: it would do so again, so the upgrade has failed. */
function undoneRecord(
  pod: PodProjection,
  { base, sides, record }: HotPair,
  sidecarSet: SidecarSet | undefined,
  now: number,
): Record<string, string> {
  const undone =
    record?.phase === "upgrade" &&
    // Whoever does it afterwards makes another generation. Where there is none nobody can tell.
    pod.generation <= record.generation &&
    sides.some(({ version, container }) => isTargetOf(record, version, "") && container.image === record.empty);
  if (!undone) return {};
  const failed = failureOf(pod, record, "ImageRewritten", sidecarSet, now);
  return recordAnnotation(base, { ...record, phase: "abort", deadlineAt: toRfc3339(now), failed });
}
