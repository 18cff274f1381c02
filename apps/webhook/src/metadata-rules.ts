// SPDX-License-Identifier: Apache-2.0
import { RESOURCES, type Api, type KubeObject } from "@hot/kube";
import type { MetadataRules } from "@hot/spec";
import type { AdmissionRequest } from "./admission.ts";
import { found } from "./register.ts";

/** Kruise's ConfigMap: which annotations `patchPodMetadata` may set. */
export const CONFIGURATION = "kruise-configuration";
const KEY = "SidecarSet_PatchPodMetadata_WhiteList";

/**
 * The rules for a request whose SidecarSet has `patchPodMetadata`, read from the API server each time: few have it, and
 * they are seldom written. Without the ConfigMap nothing is allowed.
 */
export async function readMetadataRules(
  { object }: Pick<AdmissionRequest, "object">,
  api: Pick<Api, "get">,
  namespace: string,
): Promise<MetadataRules> {
  const { spec } = (object ?? {}) as { spec?: { patchPodMetadata?: unknown } | null };
  if (spec?.patchPodMetadata === undefined) return {};
  const configuration = await found(
    api.get<KubeObject & { data?: Record<string, string> }>(RESOURCES.configMaps, CONFIGURATION, { namespace }),
  );
  return { whitelist: configuration?.data?.[KEY] };
}
