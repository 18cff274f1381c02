// SPDX-License-Identifier: Apache-2.0
import {
  BASE_ANNOTATION,
  CANARY_ANNOTATION,
  matchesSelector,
  selectorErrors,
  selectorIsEmpty,
  type LabelSelector,
  type Pod,
  type SidecarSet,
} from "@hot/spec";
import { InjectionDenied, skipped, type SkippedSidecarSet } from "./report.ts";

/** The Namespace of a pod, as far as injection needs it. */
export interface PodNamespace {
  name: string;
  labels?: Record<string, string>;
}

export interface Matched {
  /** In the order of injection. */
  sidecarSets: SidecarSet[];
  skipped: SkippedSidecarSet[];
}

const NAME_LABEL = "kubernetes.io/metadata.name";

/**
 * The SidecarSets that apply to a pod, in a fixed order: those that name their namespaces first, then the others, each
 * sorted by name. A canary that applies takes the place of its base.
 *
 * @throws {InjectionDenied} when a selector can't be evaluated, or the Namespace is needed and unknown
 */
export function matchSidecarSets(
  pod: Pod,
  namespace: PodNamespace | undefined,
  sidecarSets: readonly SidecarSet[],
): Matched {
  const result: Matched = { sidecarSets: [], skipped: [] };
  const active = isActive(pod);
  const matched: SidecarSet[] = [];
  for (const sidecarSet of inOrder(sidecarSets)) {
    const reason = active
      ? whyNot(sidecarSet, pod, namespace)
      : skipped(nameOf(sidecarSet), "PodNotActive", "the pod is finished or being deleted");
    if (reason === undefined) matched.push(sidecarSet);
    else result.skipped.push(reason);
  }
  const canaries = new Map(matched.flatMap((one) => canaryOf(one)));
  for (const sidecarSet of matched) {
    const canary = canaries.get(nameOf(sidecarSet));
    if (canary === undefined) result.sidecarSets.push(sidecarSet);
    else result.skipped.push(skipped(nameOf(sidecarSet), "ReplacedByCanary", `canary ${canary} takes its place`));
  }
  return result;
}

function isActive(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase !== "Succeeded" && phase !== "Failed" && pod.metadata.deletionTimestamp === undefined;
}

/** Sorted by (names its namespaces, name), by code unit, so that the order never depends on a locale or a cache. */
function inOrder(sidecarSets: readonly SidecarSet[]): SidecarSet[] {
  const key = (one: SidecarSet): string => (namesNamespaces(one.spec.namespaceSelector) ? "0" : "1") + nameOf(one);
  return [...sidecarSets].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function namesNamespaces(selector: LabelSelector | undefined): boolean {
  return (
    selector?.matchLabels?.[NAME_LABEL] !== undefined ||
    (selector?.matchExpressions?.some((one) => one.key === NAME_LABEL && one.operator === "In") ?? false)
  );
}

/** Why a SidecarSet does not apply; `undefined` if it does. */
function whyNot(sidecarSet: SidecarSet, pod: Pod, namespace: PodNamespace | undefined): SkippedSidecarSet | undefined {
  const name = nameOf(sidecarSet);
  const { selector, namespaceSelector, injectionStrategy } = sidecarSet.spec;
  if (injectionStrategy?.paused === true) {
    return skipped(name, "InjectionPaused", "spec.injectionStrategy.paused is true");
  }
  if (selectorIsEmpty(selector))
    return skipped(name, "NoMatch", "spec.selector is empty, and an empty selector never matches");
  if (!evaluate(name, "spec.selector", selector ?? {}, pod.metadata.labels ?? {})) {
    return skipped(name, "NoMatch", "spec.selector does not select the pod's labels");
  }
  if (namespaceSelector === undefined) return undefined;
  if (namespace === undefined) {
    throw new InjectionDenied(
      name,
      "NamespaceUnknown",
      `SidecarSet ${name}: spec.namespaceSelector can't be evaluated, because namespace ${pod.metadata.namespace ?? "default"} could not be read`,
    );
  }
  if (evaluate(name, "spec.namespaceSelector", namespaceSelector, namespace.labels ?? {})) return undefined;
  return skipped(name, "NoMatch", `spec.namespaceSelector does not select the labels of namespace ${namespace.name}`);
}

function evaluate(sidecarSet: string, path: string, selector: LabelSelector, labels: Record<string, string>): boolean {
  const [error] = selectorErrors(selector);
  if (error === undefined) return matchesSelector(selector, labels);
  const where = `SidecarSet ${sidecarSet}, ${path}.${error.path}`;
  throw new InjectionDenied(sidecarSet, "SelectorInvalid", `${where}: ${JSON.stringify(error.value)} ${error.reason}`);
}

/** `[base, canary]` if the SidecarSet is a canary. */
function canaryOf(sidecarSet: SidecarSet): [base: string, canary: string][] {
  const { [CANARY_ANNOTATION]: canary, [BASE_ANNOTATION]: base } = sidecarSet.metadata.annotations ?? {};
  return canary === "true" && base !== undefined && base !== "" ? [[base, nameOf(sidecarSet)]] : [];
}

function nameOf(sidecarSet: SidecarSet): string {
  return sidecarSet.metadata.name ?? "";
}
