// SPDX-License-Identifier: Apache-2.0
import { IN_PLACE_STATE_ANNOTATION, parseImage, parseObject, stringifySorted } from "@hot/spec";
import { toRfc3339 } from "../instant.ts";
import type { HotPair } from "./hot-pair.ts";
import { generationObserved } from "./pod-state.ts";
import type { ContainerObservation, ContainerProjection, PodProjection } from "./pod-projection.ts";
import { onSpecImage } from "./spec-image.ts";

interface Last {
  imageID: string;
  containerID?: string;
}

/**
 * Kruise's annotation: which imageID a container had when its image was last changed in place. The containerID is ours:
 * two tags of one digest have the same imageID.
 */
interface InPlaceState {
  revision: string;
  updateTimestamp: string;
  lastContainerStatuses: Record<string, Last>;
}

/** Whether the kubelet has carried out the last in-place change of these containers. */
export function consistent(
  pod: PodProjection,
  name: string,
  containers: ReadonlySet<string>,
  pairs: readonly HotPair[],
): boolean {
  return generationObserved(pod) && inconsistent(pod, name, containers, pairs).length === 0;
}

/**
 * Those of the containers that do not run their image: where all of them are named by digest, the digest tells; else
 * those that still show the imageID from before the change.
 */
export function inconsistent(
  pod: PodProjection,
  name: string,
  containers: ReadonlySet<string>,
  pairs: readonly HotPair[],
): string[] {
  const sides = pairs.flatMap((pair) => pair.sides);
  const isSeen = (container: ContainerProjection): boolean =>
    onSpecImage(sides.find((side) => side.container === container) ?? { container });
  const considered = pod.containers.filter((one) => containers.has(one.name));
  const digests = considered.map((one) => parseImage(one.image)?.digest);
  const last = readState(pod, name)?.lastContainerStatuses ?? {};
  const byDigest = digests.every((digest) => digest !== undefined);
  return considered
    .filter(
      (one) => one.status === undefined || (!isSeen(one) && (byDigest || unchanged(pod, last[one.name], one.status))),
    )
    .map((one) => one.name);
}

/** A kubelet that does not say which write it knows may have restarted the container of before. */
function unchanged(
  { observedGeneration }: PodProjection,
  before: Last | undefined,
  { imageID, containerID }: ContainerObservation,
): boolean {
  if (before === undefined || before.imageID !== imageID) return false;
  const replaced = typeof before.containerID === "string" && !["", containerID].includes(before.containerID);
  return !(replaced && containerID !== "" && observedGeneration !== undefined);
}

/** The annotation after the images of these containers are changed. */
export function inPlaceState(
  pod: PodProjection,
  name: string,
  hash: string,
  changed: readonly string[],
  now: number,
): Record<string, string> {
  const all = parseObject(pod.annotations[IN_PLACE_STATE_ANNOTATION]) ?? {};
  const imageIDs = changed.map((container) => {
    const status = pod.containers.find((one) => one.name === container)?.status;
    return [container, { imageID: status?.imageID ?? "", containerID: status?.containerID ?? "" }] as const;
  });
  const state: InPlaceState = {
    revision: hash,
    updateTimestamp: toRfc3339(now),
    lastContainerStatuses: { ...readState(pod, name)?.lastContainerStatuses, ...Object.fromEntries(imageIDs) },
  };
  return { [IN_PLACE_STATE_ANNOTATION]: stringifySorted({ ...all, [name]: state }) };
}

/** The state that a pod carries for a SidecarSet; undefined if it was never changed in place. */
export function readState(pod: PodProjection, name: string): InPlaceState | undefined {
  const state = parseObject(pod.annotations[IN_PLACE_STATE_ANNOTATION])?.[name];
  if (typeof state !== "object" || state === null) return undefined;
  const { lastContainerStatuses } = state as Partial<InPlaceState>;
  if (typeof lastContainerStatuses !== "object" || lastContainerStatuses === null) return undefined;
  const readable = Object.entries<unknown>(lastContainerStatuses).filter(([, one]) => isLast(one));
  return { ...(state as InPlaceState), lastContainerStatuses: Object.fromEntries(readable) as Record<string, Last> };
}

function isLast(value: unknown): value is Last {
  return typeof (value as Partial<Last> | null)?.imageID === "string";
}
