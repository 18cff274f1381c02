// SPDX-License-Identifier: Apache-2.0
import type { Resource } from "@hot/kube";

export const PODS: Resource = { group: "", version: "v1", plural: "pods", namespaced: true };
export const NODES: Resource = { group: "", version: "v1", plural: "nodes", namespaced: false };

/** HTTP status of an error that the API answered with; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && "status" in error && typeof error.status === "number" ? error.status : undefined;
}
