// SPDX-License-Identifier: Apache-2.0
import type { Api } from "@hot/kube";
import type { Changed } from "./changes.ts";
import { BINDINGS } from "./kinds.ts";

/** Binds a pod without a node to the one node there is. A pod that is gone or bound meanwhile needs nothing (404, 409). */
export async function schedule(api: Api, { metadata, spec }: Changed, nodeName: string): Promise<void> {
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
    const code = (error as { status?: unknown } | null)?.status;
    if (code !== 404 && code !== 409) throw error;
  }
}
