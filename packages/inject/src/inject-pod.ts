// SPDX-License-Identifier: Apache-2.0
import type { Pod, SidecarSet } from "@hot/spec";
import { assemblePod } from "./assemble-pod.ts";
import { buildSidecars, containerNames, type BuiltSidecarSet } from "./build-sidecars.ts";
import { diff, type JsonPatchOperation } from "./json-patch.ts";
import { matchSidecarSets, type PodNamespace } from "./match.ts";
import { isAlreadyInjected } from "./already-injected.ts";
import { patchMetadata } from "./metadata.ts";
import { hashesOf } from "./record.ts";
import { InjectionDenied, skipped, type InjectionReport } from "./report.ts";

export interface InjectPodInput {
  /** As the API server sends it in the review of a CREATE; not changed. */
  pod: Pod;
  /** The pod's Namespace; `undefined` if it could not be read. */
  namespace: PodNamespace | undefined;
  /** As stored: defaulted, with both hash annotations. In any order. */
  sidecarSets: readonly SidecarSet[];
  /** The present time, RFC 3339, UTC, whole seconds. */
  now: string;
  /** Containers in the order of their names instead of the SidecarSets' order (Kruise's gate `EnableSortSidecarContainerByName`). */
  sortContainersByName?: boolean;
}

export interface InjectPodResult {
  pod: Pod;
  /** RFC 6902 operations against the input pod; empty if nothing changes. */
  patch: JsonPatchOperation[];
  report: InjectionReport;
}

/**
 * Injects the SidecarSets that apply to a pod. Always holds: a container that was not injected is never changed, the
 * result does not depend on the order of `sidecarSets`, and injecting twice equals injecting once.
 *
 * It never throws for a bad pod or SidecarSet: `report.denied` then has code, sentence and fix, and the pod is unchanged.
 *
 * @example
 * const { patch, report } = injectPod({ pod, namespace: { name: "default" }, sidecarSets, now: "2026-01-02T03:04:05Z" });
 */
export function injectPod(input: InjectPodInput): InjectPodResult {
  const report: InjectionReport = { injected: [], skipped: [], warnings: [] };
  try {
    const pod = inject(input, report);
    return { pod, patch: diff(input.pod, pod), report };
  } catch (error) {
    if (!(error instanceof InjectionDenied)) throw error;
    return { pod: input.pod, patch: [], report: { ...report, injected: [], denied: error.denial } };
  }
}

function inject(
  { pod: original, namespace, sidecarSets, now, sortContainersByName }: InjectPodInput,
  report: InjectionReport,
): Pod {
  const matched = matchSidecarSets(original, namespace, sidecarSets);
  report.skipped.push(...matched.skipped);
  const pod = patchMetadata(original, matched.sidecarSets);
  const names = new Set(matched.sidecarSets.flatMap((one) => containerNames(one)));
  const appContainers = pod.spec.containers.filter((container) => !names.has(container.name));
  const built = matched.sidecarSets.map((sidecarSet) => buildSidecars(sidecarSet, pod, appContainers));
  for (const one of built) if (!hasContainers(one)) report.skipped.push(nothingToInject(one.sidecarSet));
  if (!built.some(hasContainers)) return pod;

  const present = new Set(built.filter((one) => isAlreadyInjected(pod, one)));
  const result = assemblePod(pod, built, present, { now, sortByName: sortContainersByName ?? false });
  for (const one of built.filter(hasContainers)) {
    const name = one.sidecarSet.metadata.name ?? "";
    if (present.has(one)) {
      report.skipped.push(skipped(name, "AlreadyInjected", "the pod already has its containers"));
      continue;
    }
    const containers = [...one.initContainers, ...one.containers].map((each) => each.container.name);
    report.injected.push({ sidecarSet: name, containers, hash: hashesOf(one.sidecarSet).hash });
    report.warnings.push(...one.warnings);
  }
  report.warnings.push(...result.warnings);
  return result.pod;
}

function hasContainers(built: BuiltSidecarSet): boolean {
  return built.containers.length + built.initContainers.length > 0;
}

function nothingToInject(sidecarSet: SidecarSet): ReturnType<typeof skipped> {
  return skipped(
    sidecarSet.metadata.name ?? "",
    "NothingToInject",
    "spec.containers and spec.initContainers are empty",
  );
}
