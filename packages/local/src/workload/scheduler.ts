// SPDX-License-Identifier: Apache-2.0
import { type Api, ApiError, type Resource } from "@hot/kube";
import type { ObjectMeta } from "@hot/spec";

/** The fields of a pod or Deployment by which the loops decide whom a change concerns. */
export interface Watched {
  metadata: ObjectMeta;
  spec: { nodeName?: string };
}

/** The form of the binding subresource that names the pod in its body. */
const BINDINGS: Resource = { group: "", version: "v1", plural: "bindings", namespaced: true };

/** Binds a pod without a node to the one node there is. A pod that is gone or bound meanwhile needs nothing (404, 409). */
export async function schedule(api: Api, { metadata, spec }: Watched, nodeName: string): Promise<void> {
  if (spec.nodeName !== undefined || metadata.deletionTimestamp !== undefined) return;
  const { name = "", namespace = "" } = metadata;
  const target = { apiVersion: "v1", kind: "Node", name: nodeName };
  try {
    await api.create(
      BINDINGS,
      { apiVersion: "v1", kind: "Binding", metadata: { name, namespace }, target },
      { namespace },
    );
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 409)) throw error;
  }
}
