// SPDX-License-Identifier: Apache-2.0
import { prepareSidecarSets, type PreparedSidecarSets } from "@hot/inject";
import type { Store } from "@hot/kube";
import { BASE_ANNOTATION, CANARY_ANNOTATION, type SidecarSet } from "@hot/spec";
import { carries, chosenFor, couldBeInjected, isOlder, type IsInjectable } from "./plan/injectable.ts";
import type { PodProjection } from "./plan/pod-projection.ts";
import { isSameValue } from "./plan/same-value.ts";
import type { NamespaceLabels } from "./plan/select-pods.ts";
import type { Uninjected } from "./plan/uninjected.ts";

type Labels = Readonly<Record<string, string>>;

/**
 * Which pods run without a SidecarSet that selects them. It costs an event of a pod nothing that grows with the number
 * of SidecarSets or pods: pods of one namespace with the same labels are looked up once. All members that take a change
 * return the SidecarSets whose pods are others now.
 */
export interface InjectionIndex {
  pod(key: string, pod: PodProjection | undefined): Iterable<string>;
  sidecarSet(name: string, sidecarSet: SidecarSet | undefined): Iterable<string>;
  namespace(name: string): Iterable<string>;
  of(name: string): Uninjected;
  /** These pods are fresh no longer. */
  reported(name: string, pods: readonly PodProjection[]): void;
}

export interface InjectionIndexOptions {
  readonly pods: Pick<Store<PodProjection>, "get">;
  readonly namespaces: NamespaceLabels;
  readonly isInjectable: IsInjectable;
  readonly sidecarSets: readonly SidecarSet[];
}

/** Pods with the same labels in one namespace. */
interface Group {
  readonly namespace: string;
  readonly labels: Labels;
  /** How many there are. Which ones is not kept: it would take much room where all labels differ, and is rarely asked. */
  pods: number;
  /** SidecarSets that injection chooses for such a pod. */
  names: readonly string[];
}

interface Placed {
  readonly uid: string;
  readonly group: Group;
  readonly missing: readonly string[];
}

interface Missing {
  readonly later: Set<string>;
  readonly older: Set<string>;
  /** Those of `later` that nobody was told of. */
  readonly fresh: Set<string>;
}

export function createInjectionIndex(options: InjectionIndexOptions): InjectionIndex {
  const sidecarSets = new Map(options.sidecarSets.map((one) => [one.metadata.name ?? "", one]));
  let prepared: PreparedSidecarSets | undefined;
  const groups = new Map<string, Map<Labels, Group>>();
  const placed = new Map<string, Placed>();
  const missing = new Map<string, Missing>();

  const select = (group: Group, prepared: PreparedSidecarSets): string[] => chosenFor(group, { ...options, prepared });

  const namesOf = (group: Group): string[] => {
    prepared ??= prepareSidecarSets([...sidecarSets.values()]);
    return select(group, prepared);
  };

  const groupOf = ({ namespace, labels }: PodProjection): Group => {
    const inNamespace = groups.get(namespace) ?? new Map<Labels, Group>();
    groups.set(namespace, inNamespace);
    const known = inNamespace.get(labels);
    if (known !== undefined) return known;
    const group: Group = { namespace, labels, pods: 0, names: NONE };
    group.names = namesOf(group);
    inNamespace.set(labels, group);
    return group;
  };

  const leave = (group: Group): void => {
    const { namespace, labels } = group;
    if (--group.pods > 0) return;
    groups.get(namespace)?.delete(labels);
    if (groups.get(namespace)?.size === 0) groups.delete(namespace);
  };

  const remove = (name: string, key: string): void => {
    const of = missing.get(name);
    for (const keys of of === undefined ? [] : [of.later, of.older, of.fresh]) keys.delete(key);
    if (of !== undefined && of.later.size + of.older.size === 0) missing.delete(name);
  };

  const add = (name: string, key: string, pod: PodProjection): void => {
    const of = missing.get(name) ?? { later: new Set(), older: new Set(), fresh: new Set() };
    missing.set(name, of);
    const older = isOlder(pod, sidecarSets.get(name));
    (older ? of.older : of.later).add(key);
    if (!older) of.fresh.add(key);
  };

  const place = (key: string, pod: PodProjection | undefined): Set<string> => {
    const before = placed.get(key);
    const group = pod !== undefined && couldBeInjected(pod) ? groupOf(pod) : undefined;
    if (before !== undefined && before.group !== group) leave(before.group);
    const now = pod === undefined || group === undefined ? [] : group.names.filter((name) => !carries(pod, name));
    const same = before?.uid === pod?.uid ? (before?.missing ?? []) : [];
    const gone = (before?.missing ?? []).filter((name) => !(now.includes(name) && same.includes(name)));
    const come = now.filter((name) => !same.includes(name));
    for (const name of gone) remove(name, key);
    if (pod === undefined || group === undefined) placed.delete(key);
    else {
      for (const name of come) add(name, key, pod);
      if (before?.group !== group) group.pods++;
      if (before?.group !== group || before.uid !== pod.uid || gone.length + come.length > 0) {
        placed.set(key, { uid: pod.uid, group, missing: now.length === 0 ? NONE : now });
      }
    }
    return new Set([...gone, ...come]);
  };

  const regroup = (some: Iterable<Group>): Set<string> => {
    const others = new Set<Group>();
    for (const group of some) {
      const names = namesOf(group);
      if (isSameValue(names, group.names)) continue;
      group.names = names;
      others.add(group);
    }
    const changed = new Set<string>();
    if (others.size === 0) return changed;
    // Listed before, since places change meanwhile.
    const keys = [...placed].flatMap(([key, { group }]) => (others.has(group) ? [key] : []));
    for (const key of keys) for (const name of place(key, options.pods.get(key))) changed.add(name);
    return changed;
  };

  const replace = (name: string, before: SidecarSet | undefined, after: SidecarSet | undefined): Set<string> => {
    if (after === undefined) sidecarSets.delete(name);
    else sidecarSets.set(name, after);
    prepared = undefined;
    const either = prepareSidecarSets([before, after].filter((one) => one !== undefined));
    const all = [...groups.values()].flatMap((one) => [...one.values()]);
    return regroup(all.filter((group) => select(group, either).length > 0));
  };

  return {
    pod: place,
    sidecarSet: (name, after) => {
      const before = sidecarSets.get(name);
      if (before !== undefined && after !== undefined && selectsTheSame(before, after)) return [];
      // Another object of that name is a deletion and a creation: which pods are older than it is another question.
      if (before?.metadata.uid === after?.metadata.uid) return replace(name, before, after);
      return new Set([...replace(name, before, undefined), ...replace(name, undefined, after)]);
    },
    namespace: (name) => regroup([...(groups.get(name)?.values() ?? [])]),
    of: (name) => {
      const { later, older, fresh } = missing.get(name) ?? NOTHING;
      const only = later.size === 1 ? [...later].flatMap((key) => options.pods.get(key)?.name ?? []) : [];
      return {
        later: later.size,
        older: older.size,
        ...(only[0] !== undefined && { only: only[0] }),
        fresh: [...fresh].sort().flatMap((key) => options.pods.get(key) ?? []),
      };
    },
    reported: (name, pods) => {
      for (const pod of pods) {
        const key = `${pod.namespace}/${pod.name}`;
        if (placed.get(key)?.uid === pod.uid) missing.get(name)?.fresh.delete(key);
      }
    },
  };
}

const NONE: readonly string[] = [];
const NOTHING: Missing = { later: new Set(), older: new Set(), fresh: new Set() };

/** Canary and base are annotations, and no change of them counts as a new generation. */
function selectsTheSame(a: SidecarSet, b: SidecarSet): boolean {
  return (
    a.metadata.uid === b.metadata.uid &&
    a.metadata.generation === b.metadata.generation &&
    [CANARY_ANNOTATION, BASE_ANNOTATION].every((key) => a.metadata.annotations?.[key] === b.metadata.annotations?.[key])
  );
}
