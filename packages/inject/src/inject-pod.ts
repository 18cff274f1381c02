// SPDX-License-Identifier: Apache-2.0
import type { ControllerRevision, Pod, SidecarSet } from "@hot/spec";
import { assemblePod } from "./assemble-pod.ts";
import { allNames, buildSidecars, containerNames, type BuiltSidecarSet } from "./build-sidecars.ts";
import { diff, type JsonPatchOperation } from "./json-patch.ts";
import { matchSidecarSets, type PodNamespace } from "./match.ts";
import { alreadyInjected } from "./already-injected.ts";
import { patchMetadata } from "./metadata.ts";
import { pickRevision } from "./pick-revision.ts";
import { podProblem } from "./pod-shape.ts";
import { PreparedSidecarSets, prepareSidecarSets } from "./prepared-sidecar-sets.ts";
import { hashesOf } from "./record.ts";
import { InjectionDenied, skipped, type InjectionReport } from "./report.ts";
import { resourceTargets } from "./resources.ts";
import { lazilyShareable } from "./volumes.ts";

export interface InjectPodInput {
  /** As the API server sends it in the review of a CREATE; not changed. */
  pod: Pod;
  /** The pod's Namespace; `undefined` if it could not be read. */
  namespace: PodNamespace | undefined;
  /**
   * As stored: defaulted, with both hash annotations. In any order, or prepared. Objects that never change, as those of
   * a cache: what is computed from one is kept with it.
   */
  sidecarSets: readonly SidecarSet[] | PreparedSidecarSets;
  /** Where `spec.injectionStrategy.revision` is looked up: those of the system namespace, which never change either. Default: none. */
  revisions?: readonly ControllerRevision[];
  /** In [0, 1): chooses between live and revision under policy `Partial`; below the percentage: the revision. Default 0. */
  random?: number;
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
    const denial = denialOf(error);
    if (denial === undefined) throw error;
    return { pod: input.pod, patch: [], report: { ...report, injected: [], denied: denial } };
  }
}

function denialOf(error: unknown): InjectionReport["denied"] {
  if (error instanceof InjectionDenied) return error.denial;
  // The only way to run out of stack or of memory for a text is a pod that no API server would send.
  if (error instanceof RangeError) return new InjectionDenied("", "PodMalformed", `pod: ${error.message}`).denial;
  return undefined;
}

function inject(
  { pod: original, namespace, sidecarSets, revisions = [], random = 0, now, sortContainersByName }: InjectPodInput,
  report: InjectionReport,
): Pod {
  const problem = podProblem(original);
  if (problem !== undefined) throw new InjectionDenied("", "PodMalformed", problem);
  const matched = matchSidecarSets(
    original,
    namespace,
    sidecarSets instanceof PreparedSidecarSets ? sidecarSets : prepareSidecarSets(sidecarSets),
  );
  report.skipped = matched.skipped;
  const picked = matched.sidecarSets.map((one) => pickRevision(one, original, revisions, random));
  const chosen = picked.map((one) => one.sidecarSet);
  const pod = patchMetadata(original, chosen);
  const names = new Set(chosen.flatMap((one) => containerNames(one)));
  const appContainers = pod.spec.containers.filter((container) => !names.has(container.name));
  const targets = resourceTargets(pod, new Set(chosen.flatMap((one) => allNames(one))));
  const sources = { pod, appContainers, shared: lazilyShareable(appContainers), targets };
  const built = chosen.map((sidecarSet) => buildSidecars(sidecarSet, sources));
  for (const one of built) if (!hasContainers(one)) report.skipped.push(nothingToInject(one.sidecarSet));
  if (!built.some(hasContainers)) return pod;

  const present = alreadyInjected(pod, built);
  const result = assemblePod(pod, built, present, { now, sortByName: sortContainersByName ?? false });
  for (const one of built.filter(hasContainers)) {
    const name = one.sidecarSet.metadata.name ?? "";
    if (present.has(one)) {
      report.skipped.push(skipped(name, "AlreadyInjected", "the pod already has its containers"));
      continue;
    }
    const containers = [...one.initContainers, ...one.containers].map((each) => each.container.name);
    report.injected.push({ sidecarSet: name, containers, hash: hashesOf(one.sidecarSet).hash });
    const remark = picked.find(({ sidecarSet }) => sidecarSet === one.sidecarSet)?.warning;
    report.warnings.push(...(remark === undefined ? [] : [remark]), ...one.warnings);
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
