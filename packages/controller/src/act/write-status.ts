// SPDX-License-Identifier: Apache-2.0
import type { Api, Resource } from "@hot/kube";
import { GROUP, PLURAL, type SidecarSet, type SidecarSetStatus } from "@hot/spec";

/** The stored version of the kind. */
export const SIDECAR_SETS: Resource = { group: GROUP, version: "v1beta1", plural: PLURAL, namespaced: false };

/** Whether a status says something else than the SidecarSet's. */
export function statusChanged(sidecarSet: SidecarSet, status: SidecarSetStatus): boolean {
  const before: Partial<SidecarSetStatus> = sidecarSet.status ?? {};
  return (Object.keys(status) as (keyof SidecarSetStatus)[]).some(
    (field) => JSON.stringify(before[field]) !== JSON.stringify(status[field]),
  );
}

/** Writes the status for the version of the SidecarSet that it was computed from. */
export function writeStatus(
  api: Pick<Api, "patch">,
  sidecarSet: SidecarSet,
  status: SidecarSetStatus,
): Promise<SidecarSet> {
  const { name = "", resourceVersion } = sidecarSet.metadata;
  const body = { metadata: { resourceVersion }, status };
  return api.patch<SidecarSet>(SIDECAR_SETS, name, { type: "merge", body }, { subresource: "status" });
}
