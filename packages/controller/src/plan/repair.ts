// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet } from "@hot/spec";
import { versionKeys, type HotPair, type Side } from "./hot-pair.ts";
import type { PodProjection } from "./pod-projection.ts";
import { observedServing } from "./pod-state.ts";
import { nextVersion, workingAnnotation, type PodWrite } from "./writes.ts";

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
): PodWrite | undefined {
  const declared = declaredFor(pair, sidecarSet);
  const empty = pair.record?.empty ?? declared.empty;
  if (empty === undefined || empty === "") return undefined;
  const [first, second] = pair.sides;
  const [serving, ...others] = pair.sides.filter((side) => side.container.image !== empty);
  if (others.length > 0) return undefined;
  if (serving !== undefined) {
    return observedServing(serving)
      ? rewrite(pod, pair, serving, serving === first ? second : first, sidecarSet, {})
      : undefined;
  }
  const target = pair.working === second.container.name ? second : first;
  const last = lastServing(pair) ?? declared.image;
  if (last === undefined || last === empty) return undefined;
  return rewrite(pod, pair, target, target === first ? second : first, sidecarSet, {
    [target.container.name]: last,
  });
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
    },
  };
}
