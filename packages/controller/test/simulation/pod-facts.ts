// SPDX-License-Identifier: Apache-2.0
import {
  HASH_ANNOTATION,
  pairNames,
  RECORD_ANNOTATION_PREFIX,
  VERSION_ALT_ANNOTATION_PREFIX,
  VERSION_ANNOTATION_PREFIX,
  WORKING_ANNOTATION,
  type ContainerStatus,
  type Pod,
} from "@hot/spec";
import { isEmptyImage } from "./images.ts";

/** One side of a hot pair as the API shows it, read without the controller's code. */
export interface SideFacts {
  readonly container: string;
  readonly image: string;
  readonly version: bigint;
  readonly alt: string;
  readonly isEmpty: boolean;
  readonly status: ContainerStatus | undefined;
}

export interface PairFacts {
  readonly base: string;
  readonly sides: readonly [SideFacts, SideFacts];
  readonly isUpgrading: boolean;
  readonly isSettled: boolean;
  /** Of a settled pair. */
  readonly serving: SideFacts | undefined;
  readonly working: string | undefined;
  readonly record: RecordFacts | undefined;
}

export interface RecordFacts {
  phase: string;
  to: string;
  from: string;
  empty: string;
  deadlineAt: string;
  onFailure: string;
  sidecarSet: string;
  prevHash: string;
  generation: number;
  unanswered?: true;
  failed?: { hash: string; generation: number; reason: string; retry?: string; podRetry?: string };
}

export function pairFacts(pod: Pod, base: string): PairFacts {
  const { annotations = {} } = pod.metadata;
  const [one, two] = pairNames(base).map((container): SideFacts => {
    const { image = "" } = pod.spec.containers.find(({ name }) => name === container) ?? {};
    return {
      container,
      image,
      version: BigInt(annotations[VERSION_ANNOTATION_PREFIX + container] ?? "0"),
      alt: annotations[VERSION_ALT_ANNOTATION_PREFIX + container] ?? "",
      isEmpty: isEmptyImage(image),
      status: pod.status?.containerStatuses?.find(({ name }) => name === container),
    };
  }) as [SideFacts, SideFacts];
  const isUpgrading = one.version !== 0n && two.version !== 0n;
  const isSettled = (one.version === 0n) !== (two.version === 0n);
  const record = annotations[RECORD_ANNOTATION_PREFIX + base];
  return {
    base,
    sides: [one, two],
    isUpgrading,
    isSettled,
    serving: isSettled ? (one.version === 0n ? two : one) : undefined,
    working: (parse(annotations[WORKING_ANNOTATION]) as Record<string, string> | undefined)?.[base],
    record: parse(record) as RecordFacts | undefined,
  };
}

/** The hash entry of a pod for a SidecarSet. */
export function hashEntryOf(pod: Pod, name: string): string {
  const hashes = parse(pod.metadata.annotations?.[HASH_ANNOTATION]) as Record<string, { hash: string }> | undefined;
  return hashes?.[name]?.hash ?? "";
}

/** Reported as running, ready and on its spec image. */
export function isSeenServing({ image, status }: SideFacts): boolean {
  return status?.image === image && status.ready && status.state?.running !== undefined;
}

/** Nobody serves, as far as the API shows it. */
export function hasNoServingSide({ isUpgrading, sides }: PairFacts): boolean {
  return isUpgrading && !sides.some((side) => isSeenServing(side));
}

/** The kubelet has said that it knows the pod as it is written, where it says so at all. */
export function isObserved({ metadata, status }: Pod): boolean {
  return status?.observedGeneration === undefined || status.observedGeneration >= (metadata.generation ?? 1);
}

/** It has said that it knows this generation, where it says so at all, and nobody says that it is silent. */
export function isHeard(pod: Pod, { generation }: Pick<RecordFacts, "generation">): boolean {
  const { observedGeneration = generation } = pod.status ?? {};
  return observedGeneration >= generation && !isSilent(pod);
}

/** As only a node controller leaves a pod. */
export function isSilent({ status }: Pod): boolean {
  const is = (type: string): string | undefined => status?.conditions?.find((one) => one.type === type)?.status;
  return is("Ready") === "False" && is("ContainersReady") === "True";
}

function parse(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}
