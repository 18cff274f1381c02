// SPDX-License-Identifier: Apache-2.0
import { isReason, RECORD_ANNOTATION_PREFIX, parseObject } from "@hot/spec";

/**
 * What a hot upgrade needs to be finished from the pod alone: written into the pod in the same PATCH as the images.
 * It is never removed; it counts only while it matches the images.
 */
export interface UpgradeRecord {
  /** Image that the target side was given; a webhook may have made another one of it. */
  readonly to: string;
  /** Image of the old side. */
  readonly from: string;
  /** Empty image of the pair: what the target side ran before. */
  readonly empty: string;
  /** Hash entry before the upgrade; empty if unknown, or if an abort does not bring all back that the upgrade changes. */
  readonly prevHash: string;
  /** Its revision. Absent: unknown. */
  readonly prevRevision?: string;
  /** The target's container before the write; empty if unknown (adopted). */
  readonly containerID: string;
  readonly imageID: string;
  /** What the old side was reported with while it was seen on its image. Absent: it was not. */
  readonly fromImageID?: string;
  /** What the new side was reported with at its receipt. Absent before. */
  readonly toImageID?: string;
  /** Generation of the pod that the write produced; 0 where pods have none. */
  readonly generation: number;
  /** Version that the target side was given. Absent: written by a release that did not note it. */
  readonly version?: string;
  /** RFC 3339. Of an upgrade: until when the receipt is due; of an abort: until when the hook may still run. */
  readonly deadlineAt: string;
  /** Seconds. */
  readonly minReady: number;
  readonly onFailure: "Abort" | "Wait";
  readonly sidecarSet: string;
  readonly phase: "upgrade" | "reset" | "abort";
  /** The target side was given another image before, which had failed: it was not empty. */
  readonly instead?: true;
  /** Of an abort: the kubelet has not answered since the upgrade was written. */
  readonly unanswered?: true;
  readonly failed?: UpgradeFailure;
}

export interface UpgradeFailure {
  /** Hash of the SidecarSet that failed. */
  readonly hash: string;
  /** Generation of the SidecarSet when it failed; 0 if it was gone. */
  readonly generation: number;
  readonly reason: string;
  /** RFC 3339. */
  readonly at: string;
  /** The retries of SidecarSet and pod that had been asked for by then; absent: none. */
  readonly retry?: string;
  readonly podRetry?: string;
}

const TEXTS = ["to", "from", "empty", "prevHash", "containerID", "imageID", "deadlineAt", "sidecarSet"] as const;

type Annotations = Readonly<Record<string, string>>;

/** What was read last: a decision about a pod reads its records many times. */
let last: { readonly of: Annotations; readonly records: ReadonlyMap<string, UpgradeRecord> } | undefined;

/** The records of a pod by the base names of their pairs; what is not one of ours is left out. */
export function recordsOf(annotations: Annotations): ReadonlyMap<string, UpgradeRecord> {
  if (last?.of === annotations) return last.records;
  const records = new Map<string, UpgradeRecord>();
  for (const key of Object.keys(annotations)) {
    if (!key.startsWith(RECORD_ANNOTATION_PREFIX)) continue;
    const record = parseRecord(annotations[key]);
    if (record !== undefined) records.set(key.slice(RECORD_ANNOTATION_PREFIX.length), record);
  }
  last = { of: annotations, records };
  return records;
}

function parseRecord(text: string | undefined): UpgradeRecord | undefined {
  const object = parseObject(text);
  if (object === undefined) return undefined;
  const valid =
    TEXTS.every((field) => typeof object[field] === "string") &&
    typeof object["generation"] === "number" &&
    typeof object["minReady"] === "number" &&
    (object["onFailure"] === "Abort" || object["onFailure"] === "Wait") &&
    (object["phase"] === "upgrade" || object["phase"] === "reset" || object["phase"] === "abort") &&
    ["prevRevision", "version", "fromImageID", "toImageID"].every((field) =>
      ["undefined", "string"].includes(typeof object[field]),
    ) &&
    object["to"] !== "" &&
    object["empty"] !== "";
  if (!valid) return undefined;
  const { failed, ...record } = object as unknown as UpgradeRecord;
  return isFailure(failed) ? { ...record, failed } : record;
}

/** Its reason becomes a condition's, so it has to be one of ours. */
function isFailure(value: unknown): value is UpgradeFailure {
  if (typeof value !== "object" || value === null) return false;
  const { hash, generation, reason, at, retry = "", podRetry = "" } = value as Record<string, unknown>;
  return (
    typeof retry === "string" &&
    typeof podRetry === "string" &&
    typeof hash === "string" &&
    typeof generation === "number" &&
    typeof reason === "string" &&
    isReason(reason) &&
    typeof at === "string"
  );
}

/**
 * Whether this side is the one that the record's upgrade has given a new image, going by its version: an admission
 * webhook may have changed the image. Who upgrades the side once more gives it another version.
 */
export function isTargetOf(record: UpgradeRecord, version: bigint | undefined, image: string): boolean {
  return record.version === undefined ? image === record.to : record.version === version?.toString();
}

/** The annotation that holds a record. */
export function recordAnnotation(base: string, record: UpgradeRecord): Record<string, string> {
  return { [RECORD_ANNOTATION_PREFIX + base]: JSON.stringify(record) };
}

/** Base names of the pairs that have a record for this SidecarSet. */
export function recordedBases(annotations: Annotations, sidecarSet: string): string[] {
  return [...recordsOf(annotations)].filter(([, record]) => record.sidecarSet === sidecarSet).map(([base]) => base);
}
