// SPDX-License-Identifier: Apache-2.0
import {
  BASE_ANNOTATION,
  CANARY_ANNOTATION,
  matchesValidSelector,
  selectorErrors,
  type LabelSelector,
  type Pod,
  type SidecarSet,
} from "@hot/spec";
import { allNames } from "./build-sidecars.ts";
import { oncePer } from "./once-per.ts";
import { NO_MATCH, type PreparedSidecarSet, type PreparedSidecarSets } from "./prepared-sidecar-sets.ts";
import { InjectionDenied, shown, skipped, type SkippedSidecarSet } from "./report.ts";

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

/**
 * The SidecarSets that apply to a pod, in a fixed order: those that name their namespaces first, then the others, each
 * sorted by name. A canary that applies takes the place of its base.
 *
 * @throws {InjectionDenied} when a selector can't be evaluated, or the Namespace is needed and unknown
 */
export function matchSidecarSets(
  pod: Pod,
  namespace: PodNamespace | undefined,
  prepared: PreparedSidecarSets,
): Matched {
  const result: Matched = { sidecarSets: [], skipped: [] };
  if (!isActive(pod)) {
    result.skipped = prepared.inOrder.map(({ name }) =>
      skipped(name, "PodNotActive", "the pod is finished or being deleted"),
    );
    return result;
  }
  const candidates = prepared.candidates(pod.metadata.labels ?? {}, namespace && (namespace.labels ?? {}));
  const matched: PreparedSidecarSet[] = [];
  const places: number[] = [];
  // Copied at once and cut afterwards, since nearly all are skipped.
  result.skipped = [...prepared.otherwise];
  for (const index of candidates) {
    const one = prepared.inOrder[index];
    if (one === undefined) continue;
    const reason = whyNot(one, pod.metadata, namespace);
    if (reason !== undefined) {
      result.skipped[index] = reason;
      continue;
    }
    matched.push(one);
    places.push(index);
  }
  for (const place of places.reverse()) result.skipped.splice(place, 1);
  const canaries = canariesOf(matched);
  for (const { name, sidecarSet } of matched) {
    const canary = canaries.get(name);
    if (canary === undefined) result.sidecarSets.push(sidecarSet);
    else result.skipped.push(skipped(name, "ReplacedByCanary", `canary ${canary} takes its place`));
  }
  return result;
}

/**
 * Names of the SidecarSets that injection chooses for an active pod with these labels, in the order of injection: those
 * that {@link injectPod} does not skip. Where selectors can't be evaluated, nothing is chosen by them.
 *
 * @param namespace - the pod's Namespace; `undefined`: not known, so whatever asks for it is not chosen
 * @example selectSidecarSets({ app: "web" }, { name: "default" }, prepareSidecarSets(list)) // ["mesh"]
 */
export function selectSidecarSets(
  labels: Readonly<Record<string, string>>,
  namespace: PodNamespace | undefined,
  prepared: PreparedSidecarSets,
): string[] {
  const matched = prepared.candidates(labels, namespace && (namespace.labels ?? {})).flatMap((index) => {
    const one = prepared.inOrder[index];
    return one !== undefined && applies(one, labels, namespace) ? [one] : [];
  });
  const canaries = canariesOf(matched);
  return matched
    .filter(({ name, sidecarSet }) => !canaries.has(name) && allNames(sidecarSet).length > 0)
    .map(({ name }) => name);
}

function applies(
  one: PreparedSidecarSet,
  labels: Readonly<Record<string, string>>,
  namespace: PodNamespace | undefined,
): boolean {
  try {
    return whyNot(one, { labels }, namespace) === undefined;
  } catch (error) {
    if (error instanceof InjectionDenied) return false;
    throw error;
  }
}

function isActive(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase !== "Succeeded" && phase !== "Failed" && pod.metadata.deletionTimestamp === undefined;
}

/** Why a candidate does not apply; `undefined` if it does. */
function whyNot(
  one: PreparedSidecarSet,
  pod: Pick<Pod["metadata"], "namespace" | "labels">,
  namespace: PodNamespace | undefined,
): SkippedSidecarSet | undefined {
  const { name, problem } = one;
  const reason = one.selectsUnknown === true ? undefined : whyNotSelected(one, pod, namespace);
  if (reason === undefined && problem !== undefined) throw new InjectionDenied(name, "SidecarSetMalformed", problem);
  return reason;
}

function whyNotSelected(
  { name, sidecarSet }: PreparedSidecarSet,
  pod: Pick<Pod["metadata"], "namespace" | "labels">,
  namespace: PodNamespace | undefined,
): SkippedSidecarSet | undefined {
  const { selector = {}, namespaceSelector } = sidecarSet.spec;
  if (!evaluate(name, "spec.selector", selector, pod.labels ?? {})) {
    return skipped(name, "NoMatch", NO_MATCH.pod);
  }
  if (namespaceSelector === undefined) return undefined;
  if (namespace === undefined) {
    throw new InjectionDenied(
      name,
      "NamespaceUnknown",
      `SidecarSet ${name}: spec.namespaceSelector can't be evaluated, because namespace ${pod.namespace ?? "default"} could not be read`,
    );
  }
  if (evaluate(name, "spec.namespaceSelector", namespaceSelector, namespace.labels ?? {})) return undefined;
  return skipped(name, "NoMatch", NO_MATCH.namespace);
}

const firstError = oncePer((selector: LabelSelector) => selectorErrors(selector)[0]);

function evaluate(sidecarSet: string, path: string, selector: LabelSelector, labels: Record<string, string>): boolean {
  const error = firstError(selector);
  if (error === undefined) return matchesValidSelector(selector, labels);
  const where = `SidecarSet ${sidecarSet}, ${path}.${error.path}`;
  throw new InjectionDenied(
    sidecarSet,
    "SelectorInvalid",
    `${where}: ${shown(JSON.stringify(error.value) ?? "nothing")} ${error.reason}`,
  );
}

/** Canaries by the name of their base. */
function canariesOf(matched: readonly PreparedSidecarSet[]): Map<string, string> {
  return new Map(matched.flatMap((one) => canaryOf(one)));
}

/** `[base, canary]` if the SidecarSet is a canary. */
function canaryOf({ name, sidecarSet }: PreparedSidecarSet): [base: string, canary: string][] {
  const { [CANARY_ANNOTATION]: canary, [BASE_ANNOTATION]: base } = sidecarSet.metadata.annotations ?? {};
  return canary === "true" && base !== undefined && base !== "" ? [[base, name]] : [];
}
