// SPDX-License-Identifier: Apache-2.0
import { IN_PLACE_STATE_ANNOTATION, parseImage } from "@hot/spec";
import type { ContainerProjection, PodProjection } from "./pod-projection.ts";
import { isTargetOf, type UpgradeRecord } from "./record.ts";

/** A container, and what its spec image is known to be reported as. */
export interface SeenContainer {
  readonly container: ContainerProjection;
  /** The imageID that a container has which runs the spec image; absent: not known. */
  readonly imageID?: string;
}

/**
 * Whether the container is reported with its spec image: by its name, by its digest, or by the imageID that is known
 * for it. The last one is needed since a runtime names an image by any of the tags that its digest has.
 */
export function onSpecImage({ container, imageID }: SeenContainer): boolean {
  const { image, status } = container;
  if (status === undefined) return false;
  if (imageID !== undefined && imageID !== "" && status.imageID === imageID) return true;
  const digest = parseImage(image)?.digest;
  return digest === undefined ? isNamed(image, status.image) : status.imageID.endsWith(digest);
}

/** Runtimes report full names. */
function isNamed(image: string, reported: string): boolean {
  if (image === reported) return true;
  const [a, b] = [parseImage(image), parseImage(reported)];
  return a !== undefined && a.repository === b?.repository && (a.tag ?? "latest") === (b.tag ?? "latest");
}

/**
 * The imageID that is known for a container's spec image. The spec of a pod of generation 1 was never changed, so what
 * runs is what it says; but one from before Kubernetes 1.33 had none, and may have got its 1 by an upgrade. Later it is
 * what the record says that was observed; of a new side's image nothing was observed yet, so there it is what has
 * replaced the empty container.
 */
export function knownImageID(
  pod: Pick<PodProjection, "generation" | "observedGeneration" | "annotations">,
  { image, status }: ContainerProjection,
  record: UpgradeRecord | undefined,
  version?: bigint,
): string | undefined {
  const upgraded = record !== undefined || pod.annotations[IN_PLACE_STATE_ANNOTATION] !== undefined;
  if (pod.generation === 1 && !upgraded) return status?.imageID;
  // Of an adopted upgrade nobody knows what the container ran when the image was changed.
  if (record === undefined || record.containerID === "") return undefined;
  if (image === record.empty) return record.imageID;
  if (!isGiven(pod, record, version, image)) return image === record.from ? record.fromImageID : undefined;
  if (record.phase !== "upgrade") return record.toImageID;
  // It may have started the image before, unseen, and then that is what has replaced the empty container.
  if (record.instead === true) return undefined;
  const { observedGeneration = -1 } = pod;
  return observedGeneration >= record.generation && hasReplacedEmpty(status, record) ? status?.imageID : undefined;
}

/** The image that the record's upgrade has led to: the one that was written, or what a webhook has made of it at once. */
function isGiven(
  { generation }: Pick<PodProjection, "generation">,
  record: UpgradeRecord,
  version: bigint | undefined,
  image: string,
): boolean {
  if (image === record.to) return true;
  const untouched = generation !== 0 && generation === record.generation;
  return record.phase === "upgrade" && untouched && isTargetOf(record, version, image);
}

/**
 * Another container with another image than before the write, and not the empty image under a tag that has moved. Only
 * once the kubelet has said that it knows the write: before, it may be an upgrade that was aborted meanwhile.
 */
function hasReplacedEmpty(status: ContainerProjection["status"], record: UpgradeRecord): boolean {
  return (
    status !== undefined &&
    record.imageID !== "" &&
    ![record.containerID, ""].includes(status.containerID) &&
    ![record.imageID, ""].includes(status.imageID) &&
    !isNamed(record.empty, status.image)
  );
}
