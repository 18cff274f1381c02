// SPDX-License-Identifier: Apache-2.0
import { REVISION_OWNER_LABEL, pairNames, selectorErrors, type Pod } from "@hot/spec";
import { isDeepStrictEqual } from "node:util";
import { normal, type InjectCase } from "../compare/inject.ts";
import type { Rule } from "./rule.ts";

interface Ours {
  readonly denied?: { reason: string; code: string };
  readonly pod: Pod;
  readonly patch: readonly unknown[];
}

/** Denied with one code, the pod left as it is, because of this. */
function denied(id: string, code: string, isOne: (one: InjectCase) => boolean): Rule<InjectCase, Ours> {
  return {
    id,
    holds: (one, { ours }) =>
      ours.denied?.code === code && ours.patch.length === 0 && isDeepStrictEqual(ours.pod, one.input.pod) && isOne(one),
  };
}

function hasCollision({ input }: InjectCase): boolean {
  const { containers, initContainers = [] } = input.pod.spec;
  const seen = new Set([...containers, ...initContainers].map(({ name }) => name));
  return input.sidecarSets
    .flatMap(({ spec }) => [...(spec.containers ?? []), ...(spec.initContainers ?? [])])
    .flatMap(({ name }) => [name, ...pairNames(name)])
    .some((name) => seen.has(name) || !seen.add(name));
}

function policies({ input }: InjectCase) {
  return input.sidecarSets.flatMap(({ spec }) =>
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap((one) => one.resourcesPolicy ?? []),
  );
}

function isForeignRevision({ input }: InjectCase): boolean {
  return input.sidecarSets.some(({ metadata, spec }) => {
    const name = spec.injectionStrategy?.revision?.revisionName;
    const revision = input.controllerRevisions?.find((one) => one.metadata.name === name);
    return revision !== undefined && revision.metadata.labels?.[REVISION_OWNER_LABEL] !== metadata.name;
  });
}

/** Equal to Kruise's pod, once both are seen through `lens`. */
function sameExcept(
  id: string,
  lens: (pod: Pod) => unknown,
  isOne: (one: InjectCase) => boolean,
): Rule<InjectCase, Ours> {
  return {
    id,
    holds: (one, { ours }) => {
      const theirs = one.expected.pod as Pod | undefined;
      return (
        !ours.denied &&
        theirs !== undefined &&
        isOne(one) &&
        isDeepStrictEqual(normal(lens(ours.pod)), normal(lens(theirs)))
      );
    },
  };
}

function withoutRepeatedSecrets(pod: Pod): Pod {
  const names = (pod.spec.imagePullSecrets ?? []).map((one) => one.name);
  return { ...pod, spec: { ...pod.spec, imagePullSecrets: [...new Set(names)].map((name) => ({ name: name ?? "" })) } };
}

const HASHES = ["kruise.io/sidecarset-hash", "kruise.io/sidecarset-hash-without-image"];
const ENTRY_KEYS = new Set(["updateTimestamp", "hash", "sidecarSetName", "sidecarList", "controllerRevision"]);

function withKnownEntryKeys(pod: Pod): Pod {
  return withAnnotations(pod, (key, text) =>
    HASHES.includes(key)
      ? JSON.stringify(JSON.parse(text), (name, value: unknown) => (isUnknownEntryKey(name, value) ? undefined : value))
      : text,
  );
}

/** Entries are objects by SidecarSet; their members are texts and lists. */
function isUnknownEntryKey(name: string, value: unknown): boolean {
  const isMember = typeof value !== "object" || (Array.isArray(value) && name !== "");
  return isMember && !ENTRY_KEYS.has(name) && !/^\d+$/.test(name);
}

/** JSON in annotations by its value; a null inside an array's object is kept by RFC 7396 and pruned by Kruise. */
function withPlainJson(pod: Pod): Pod {
  return withAnnotations(pod, (_, text) => {
    try {
      return JSON.stringify(pruned(JSON.parse(text)));
    } catch {
      return text;
    }
  });
}

function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, pruned(member)]));
}

function withAnnotations(pod: Pod, change: (key: string, text: string) => string): Pod {
  const entries = Object.entries(pod.metadata.annotations ?? {}).map(([key, text]) => [key, change(key, text)]);
  return { ...pod, metadata: { ...pod.metadata, annotations: Object.fromEntries(entries) as Record<string, string> } };
}

export const injectRules: Rule<InjectCase, Ours>[] = [
  { ...denied("name-collision", "HOT2101", hasCollision), exception: true },
  denied("invalid-selector", "HOT2102", ({ input }) =>
    input.sidecarSets.some(({ spec }) => spec.namespaceSelector && selectorErrors(spec.namespaceSelector).length > 0),
  ),
  denied("foreign-revision", "HOT2104", isForeignRevision),
  denied("cpu-in-memory-field", "HOT2107", (one) =>
    policies(one).some(({ resourcesExpr }) =>
      [resourcesExpr.limits, resourcesExpr.requests].some(
        (list) => /\bcpu\b/i.test(String(list?.memory ?? "")) || /\bmemory\b/i.test(String(list?.cpu ?? "")),
      ),
    ),
  ),
  denied("unknown-mode", "HOT2107", (one) =>
    policies(one).some(({ targetContainersMode }) => !["sum", "max"].includes(targetContainersMode)),
  ),
  sameExcept("repeated-pull-secrets", withoutRepeatedSecrets, ({ input }) => {
    const names = (input.pod.spec.imagePullSecrets ?? []).map((one) => one.name);
    return new Set(names).size < names.length;
  }),
  sameExcept("unknown-keys-of-hash-entries", withKnownEntryKeys, ({ input }) =>
    HASHES.some((key) => input.pod.metadata.annotations?.[key] !== undefined),
  ),
  sameExcept("merge-patch", withPlainJson, ({ input }) =>
    input.sidecarSets.some(({ spec }) =>
      spec.patchPodMetadata?.some(({ patchPolicy }) => patchPolicy === "MergePatchJson"),
    ),
  ),
];
