// SPDX-License-Identifier: Apache-2.0
import type { SidecarContainer, SidecarSet } from "@hot/spec";
import { isHot, rolesOf, servingImage, type HotPair } from "./hot-pair.ts";
import type { PodProjection } from "./pod-projection.ts";
import { sharedText } from "./shared-values.ts";

/**
 * What an updated pod runs otherwise than it was given: `x: runs mirror/x:1, was given x:1`. An admission webhook or a
 * person has changed it, and writing it again would change nothing, or start a quarrel. Empty: nothing.
 */
export function rewrittenImages(pod: PodProjection, pairs: readonly HotPair[], { spec }: SidecarSet): string {
  const texts = (spec.containers ?? []).flatMap((container) => {
    const runs = servedImage(pod, pairs, container);
    const isOther = container.image !== undefined && runs !== undefined && runs !== container.image;
    return isOther ? [`${container.name}: runs ${runs}, was given ${container.image}`] : [];
  });
  // Very many pods may say the same.
  return texts.length === 0 ? "" : sharedText(texts.join("; "));
}

function servedImage(pod: PodProjection, pairs: readonly HotPair[], container: SidecarContainer): string | undefined {
  if (!isHot(container)) return pod.containers.find((one) => one.name === container.name)?.image;
  const pair = pairs.find((one) => one.base === container.name);
  return pair && servingImage(rolesOf(pair));
}
