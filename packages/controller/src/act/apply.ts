// SPDX-License-Identifier: Apache-2.0
import { metadataChanges } from "@hot/inject";
import { ApiError, RESOURCES, type Api } from "@hot/kube";
import { UPGRADABLE_CONDITION, type Pod, type SidecarSet } from "@hot/spec";
import { toRfc3339 } from "../instant.ts";
import type { PodProjection } from "../plan/pod-projection.ts";
import type { WriteKind } from "../plan/snapshot.ts";
import { upgradableCondition } from "../plan/upgradable-condition.ts";
import type { PodWrite } from "../plan/writes.ts";
import type { Expectation, Expectations } from "./expectations.ts";

/**
 * `committed`: it is written, by this call. `conflict`: the pod has changed or is being written, so plan again. `gone`:
 * so is the pod.
 * `refused`: the API server will not have it. `unknown`: no answer, or one that does not tell; plan again later.
 */
export type Outcome =
  | { readonly result: "committed" | "conflict" | "gone" }
  | { readonly result: "refused" | "unknown"; readonly error: unknown };

export interface Writing {
  readonly api: Pick<Api, "get" | "patch">;
  readonly expectations: Expectations;
  readonly signal: AbortSignal;
}

/**
 * Sends one write, once. It holds only for the resourceVersion that it was planned on, and is never sent again.
 *
 * @param isWanted - asked again after what had to be read for it: whoever pauses meanwhile is heard
 */
export async function applyWrite(
  writing: Writing,
  pod: PodProjection,
  write: PodWrite,
  isWanted: () => boolean,
): Promise<Outcome> {
  const metadata = await addedMetadata(writing, pod, write.metadataOf);
  if ("outcome" in metadata) return metadata.outcome;
  if (!isWanted()) return { result: "conflict" };
  const containers = Object.entries(write.images).map(([name, image]) => ({ name, image }));
  const annotations = { ...metadata.annotations, ...write.annotations };
  const body = {
    metadata: { resourceVersion: pod.resourceVersion, annotations },
    ...(containers.length > 0 && { spec: { containers } }),
  };
  return send(writing, pod, write.kind, write, (name, options) =>
    writing.api.patch<Pod>(
      RESOURCES.pods,
      name,
      { type: containers.length > 0 ? "strategic" : "merge", body },
      options,
    ),
  );
}

/**
 * The cache keeps none of the annotations that `patchPodMetadata` may be about, so they are read: once, and only from
 * the very version that the write is for.
 */
async function addedMetadata(
  { api, signal }: Writing,
  pod: PodProjection,
  sidecarSet: SidecarSet | undefined,
): Promise<{ annotations: Record<string, string> } | { outcome: Outcome }> {
  if (sidecarSet === undefined) return { annotations: {} };
  try {
    const live = await api.get<Pod>(RESOURCES.pods, pod.name, { namespace: pod.namespace, signal });
    const { uid, resourceVersion } = live.metadata;
    if (uid !== pod.uid || resourceVersion !== pod.resourceVersion) return { outcome: { result: "conflict" } };
    const changes = metadataChanges(live, sidecarSet);
    if ("annotations" in changes) return changes;
    const { sentence, fix, code } = changes.denied;
    return { outcome: { result: "refused", error: new Error(`${sentence}. ${fix} (${code})`) } };
  } catch (error) {
    const gone = error instanceof ApiError && error.status === 404;
    return { outcome: gone ? { result: "gone" } : { result: "unknown", error } };
  }
}

/** Writes the pod condition SidecarSetUpgradable. */
export function applyCondition(writing: Writing, pod: PodProjection, message: string, now: number): Promise<Outcome> {
  const condition = {
    type: UPGRADABLE_CONDITION,
    ...upgradableCondition(message),
    lastTransitionTime: toRfc3339(now),
  };
  const body = { metadata: { resourceVersion: pod.resourceVersion }, status: { conditions: [condition] } };
  return send(writing, pod, "condition", undefined, (name, options) =>
    writing.api.patch<Pod>(RESOURCES.pods, name, { type: "strategic", body }, { ...options, subresource: "status" }),
  );
}

type Send = (name: string, options: { namespace: string }) => Promise<Pod>;

async function send(
  writing: Writing,
  pod: PodProjection,
  kind: WriteKind,
  write: PodWrite | undefined,
  patch: Send,
): Promise<Outcome> {
  // In one step with the sending: whatever was found out before may have changed in between.
  const expectation = writing.expectations.expect(pod, kind);
  if (expectation === undefined) return { result: "conflict" };
  try {
    // Without the signal: what is under way when everything stops is finished.
    const after = await patch(pod.name, { namespace: pod.namespace });
    expectation.written(after.metadata.resourceVersion ?? "");
    return { result: "committed" };
  } catch (error) {
    const status = error instanceof ApiError ? error.status : undefined;
    if (status === 404) {
      expectation.drop();
      return { result: "gone" };
    }
    if (status !== undefined && status < 500 && status !== 409 && status !== 408) {
      expectation.drop();
      return { result: status === 429 ? "unknown" : "refused", error };
    }
    expectation.unclear();
    const live = await resolve(writing, expectation);
    if (write !== undefined && live !== undefined && shows(live, write)) return { result: "committed" };
    return status === 409 ? { result: "conflict" } : { result: "unknown", error };
  }
}

/**
 * Finds out what the API server holds after a write without a clear answer. Where it can't be read, the expectation
 * stays, so that the pod is left alone until it can.
 */
export async function resolve({ api, signal }: Writing, expectation: Expectation): Promise<Pod | undefined> {
  const { uid, namespace, name, read } = expectation;
  try {
    const live = await api.get<Pod>(RESOURCES.pods, name, { namespace, signal });
    const version = live.metadata.resourceVersion ?? "";
    if (live.metadata.uid !== uid || version === read) expectation.drop();
    else expectation.written(version);
    return live.metadata.uid === uid ? live : undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) expectation.drop();
    return undefined;
  }
}

function shows(live: Pod, { annotations, images }: PodWrite): boolean {
  const imageOf = (name: string): string | undefined => live.spec.containers.find((one) => one.name === name)?.image;
  return (
    Object.entries(annotations).every(([key, value]) => live.metadata.annotations?.[key] === value) &&
    Object.entries(images).every(([name, image]) => imageOf(name) === image)
  );
}
