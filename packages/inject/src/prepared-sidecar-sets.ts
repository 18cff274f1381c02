// SPDX-License-Identifier: Apache-2.0
import { selectorErrors, selectorIsEmpty, type LabelSelector, type SidecarSet } from "@hot/spec";
import { checkedSidecarSet, type CheckedSidecarSet } from "./checked-sidecar-set.ts";
import { skipped, type SkippedSidecarSet } from "./report.ts";

type Labels = Readonly<Record<string, string>>;

/** A SidecarSet in the order of injection. */
export interface PreparedSidecarSet {
  readonly sidecarSet: SidecarSet;
  readonly name: string;
  /** Why it can't be injected; its selectors are right, unless it is not known what it selects. */
  readonly problem?: string;
  readonly selectsUnknown?: boolean;
}

const NAME_LABEL = "kubernetes.io/metadata.name";

/**
 * SidecarSets in the order of injection, found by the labels of pods and namespaces. Immutable, as the SidecarSets in
 * it have to be: pieces of them become part of pods and patches. Made by {@link prepareSidecarSets}.
 */
export class PreparedSidecarSets {
  readonly inOrder: readonly PreparedSidecarSet[];
  /** Of each of {@link inOrder}, why it does not apply where the index does not name it. */
  readonly otherwise: readonly SkippedSidecarSet[];
  readonly #source: readonly SidecarSet[];
  readonly #byLabel = new Map<string, number[]>();
  readonly #keys = { pod: new Set<string>(), namespace: new Set<string>() };
  readonly #everywhere: number[] = [];
  readonly #inNamespaces: number[] = [];

  constructor(source: readonly SidecarSet[]) {
    this.#source = [...source];
    const sorted = sort(source.map((one) => checkedSidecarSet(one)));
    const anchors = sorted.map(({ sidecarSet }) => anchorsOf(sidecarSet));
    const uses = new Map<string, number>();
    for (const label of anchors.flat().flatMap((one) => one.labels)) uses.set(label, (uses.get(label) ?? 0) + 1);
    const cost = (anchor: Anchor): number => anchor.labels.reduce((sum, label) => sum + (uses.get(label) ?? 0), 0);
    const otherwise: SkippedSidecarSet[] = [];
    this.inOrder = sorted.map((checked, index) => {
      const name = checked.sidecarSet.metadata.name ?? "";
      const never = checked.selectsUnknown === true ? undefined : whyNever(checked.sidecarSet);
      if (never !== undefined) {
        otherwise.push(skipped(name, ...never));
        return { ...checked, name };
      }
      const [rarest] = (anchors[index] ?? []).sort((a, b) => cost(a) - cost(b));
      if (rarest === undefined) this.#everywhere.push(index);
      else this.#add(rarest, index);
      if (rarest?.of === "namespace") this.#inNamespaces.push(index);
      otherwise.push(skipped(name, "NoMatch", NO_MATCH[rarest?.of ?? "pod"]));
      return { ...checked, name };
    });
    this.otherwise = otherwise;
  }

  #add({ of, key, labels }: Anchor, index: number): void {
    this.#keys[of].add(key);
    for (const label of new Set(labels)) {
      const list = this.#byLabel.get(label);
      if (list === undefined) this.#byLabel.set(label, [index]);
      else list.push(index);
    }
  }

  /**
   * Ascending indexes in {@link inOrder} of those that may apply; their selectors are still to be evaluated.
   *
   * @param namespace - labels of the pod's Namespace; unknown: whatever asks for one may apply
   */
  candidates(pod: Labels, namespace: Labels | undefined): number[] {
    const found = [...this.#everywhere, ...(namespace === undefined ? this.#inNamespaces : [])];
    const collect = (of: Anchor["of"], labels: Labels): void => {
      for (const key of this.#keys[of]) {
        if (!Object.hasOwn(labels, key)) continue;
        for (const index of this.#byLabel.get(anchorLabel(of, key, labels[key] ?? "")) ?? []) found.push(index);
      }
    };
    collect("pod", pod);
    if (namespace !== undefined) collect("namespace", namespace);
    return found.sort((a, b) => a - b);
  }

  /** Whether it was made from exactly these SidecarSets. */
  isOf(sidecarSets: readonly SidecarSet[]): boolean {
    return this.#source.length === sidecarSets.length && this.#source.every((one, at) => one === sidecarSets[at]);
  }
}

const prepared = new WeakMap<readonly SidecarSet[], PreparedSidecarSets>();

/**
 * Sorts and indexes SidecarSets, so that an injection costs what the matching ones cost. A caller that injects many
 * pods keeps the result until its list changes. The SidecarSets must not be changed afterwards.
 *
 * @example const sidecarSets = prepareSidecarSets(list); injectPod({ pod, namespace, sidecarSets, now });
 */
export function prepareSidecarSets(sidecarSets: readonly SidecarSet[]): PreparedSidecarSets {
  const known = prepared.get(sidecarSets);
  if (known?.isOf(sidecarSets) === true) return known;
  const made = new PreparedSidecarSets(sidecarSets);
  prepared.set(sidecarSets, made);
  return made;
}

export const NO_MATCH = {
  pod: "spec.selector does not select the pod's labels",
  namespace: "spec.namespaceSelector does not select the labels of the pod's namespace",
};

function whyNever({ spec }: SidecarSet): ["InjectionPaused" | "NoMatch", string] | undefined {
  if (spec.injectionStrategy?.paused === true) return ["InjectionPaused", "spec.injectionStrategy.paused is true"];
  if (!selectorIsEmpty(spec.selector)) return undefined;
  return ["NoMatch", "spec.selector is empty, and an empty selector never matches"];
}

/** One of these labels, which have one key, has to be there for a selector to match. */
interface Anchor {
  of: "pod" | "namespace";
  key: string;
  labels: string[];
}

/** A selector that can't be evaluated has none: it has to be found, because it denies the injection. */
function anchorsOf({ spec }: SidecarSet): Anchor[] {
  const { selector, namespaceSelector } = spec;
  if (selectorErrors(selector ?? {}).length > 0) return [];
  return [...termsOf("pod", selector), ...termsOf("namespace", namespaceSelector)];
}

function termsOf(of: Anchor["of"], selector: LabelSelector | undefined): Anchor[] {
  if (selector === undefined || selectorErrors(selector).length > 0) return [];
  const equal = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, values: [value] }));
  const among = (selector.matchExpressions ?? []).filter((one) => one.operator === "In");
  return [...equal, ...among].map(({ key, values = [] }) => ({
    of,
    key,
    labels: values.map((value) => anchorLabel(of, key, value)),
  }));
}

function anchorLabel(of: Anchor["of"], key: string, value: string): string {
  return `${of} ${key}=${value}`;
}

/** By (names its namespaces, name), by code unit, so that the order never depends on a locale or a cache. */
function sort(sidecarSets: readonly CheckedSidecarSet[]): CheckedSidecarSet[] {
  const key = (one: SidecarSet): string =>
    (namesNamespaces(one.spec.namespaceSelector) ? "0" : "1") + (one.metadata.name ?? "");
  return sidecarSets
    .map((checked) => ({ checked, key: key(checked.sidecarSet) }))
    .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map(({ checked }) => checked);
}

function namesNamespaces(selector: LabelSelector | undefined): boolean {
  return (
    selector?.matchLabels?.[NAME_LABEL] !== undefined ||
    (selector?.matchExpressions?.some((one) => one.key === NAME_LABEL && one.operator === "In") ?? false)
  );
}
