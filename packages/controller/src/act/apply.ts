// SPDX-License-Identifier: Apache-2.0
import { ApiError, RESOURCES, type Api } from "@hot/kube";
import { UPGRADABLE_CONDITION, type Pod } from "@hot/spec";
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
 * @param added - annotations besides those of the write, which win
 */
export function applyWrite(
  writing: Writing,
  pod: PodProjection,
  write: PodWrite,
  added: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const containers = Object.entries(write.images).map(([name, image]) => ({ name, image }));
  const body = {
    metadata: { resourceVersion: pod.resourceVersion, annotations: { ...added, ...write.annotations } },
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
  // In the step that sends it: another write may have begun since it was planned.
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

/** Each write gives annotations that no other one does; a webhook may have made other images of those that were sent. */
function shows({ metadata }: Pod, { annotations }: PodWrite): boolean {
  return Object.entries(annotations).every(([key, value]) => metadata.annotations?.[key] === value);
}
