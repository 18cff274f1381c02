// SPDX-License-Identifier: Apache-2.0
import { IN_PLACE_STATE_ANNOTATION, parseImage } from "@hot/spec";
import { toRfc3339 } from "../instant.ts";
import { parseObject, stringifySorted } from "./json-annotation.ts";
import { generationObserved, onSpecImage } from "./pod-state.ts";
import type { PodProjection } from "./pod-projection.ts";

/** Kruise's annotation: which imageID a container had when its image was last changed in place. */
interface InPlaceState {
  revision: string;
  updateTimestamp: string;
  lastContainerStatuses: Record<string, { imageID: string }>;
}

/** Whether the kubelet has carried out the last in-place change of these containers. */
export function consistent(pod: PodProjection, name: string, containers: ReadonlySet<string>): boolean {
  return generationObserved(pod) && inconsistent(pod, name, containers).length === 0;
}

/**
 * Those of the containers that do not run their image: where all of them are named by digest, the digest tells; else
 * those that still show the imageID from before the change.
 */
export function inconsistent(pod: PodProjection, name: string, containers: ReadonlySet<string>): string[] {
  const considered = pod.containers.filter((one) => containers.has(one.name));
  const digests = considered.map((one) => parseImage(one.image)?.digest);
  const last = readState(pod, name)?.lastContainerStatuses ?? {};
  const byDigest = digests.every((digest) => digest !== undefined);
  return considered
    .filter(
      (one) =>
        one.status === undefined || (!onSpecImage(one) && (byDigest || unchanged(last[one.name], one.status.imageID))),
    )
    .map((one) => one.name);
}

function unchanged(before: { imageID: string } | undefined, imageID: string): boolean {
  return before !== undefined && before.imageID === imageID;
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
    return [container, { imageID: status?.imageID ?? "" }] as const;
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
  return typeof lastContainerStatuses === "object" && lastContainerStatuses !== null
    ? (state as InPlaceState)
    : undefined;
}
