// SPDX-License-Identifier: Apache-2.0
export { applyPatch } from "./apply-patch.ts";
export { isInjected } from "./env.ts";
export { injectPod, type InjectPodInput, type InjectPodResult } from "./inject-pod.ts";
export { diff, type JsonPatchOperation } from "./json-patch.ts";
export { JsonPatchError, type Json } from "./json-pointer.ts";
export { metadataChanges } from "./metadata.ts";
export { selectSidecarSets, type PodNamespace } from "./match.ts";
export { prepareSidecarSets, type PreparedSidecarSets } from "./prepared-sidecar-sets.ts";
export { hashEntry, parseHashes, writeHash, type HashEntry } from "./record.ts";
export type { Denial, InjectedSidecarSet, InjectionReport, SkippedSidecarSet } from "./report.ts";
