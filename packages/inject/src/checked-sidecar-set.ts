// SPDX-License-Identifier: Apache-2.0
import { shapeProblem, withoutNulls, type SidecarSet } from "@hot/spec";
import { oncePer } from "./once-per.ts";

/** A SidecarSet with types that the rest of this package may rely on, whoever wrote it. */
export interface CheckedSidecarSet {
  /** Without members that are null; where there is a problem, no more than name and selectors. */
  readonly sidecarSet: SidecarSet;
  /** What is wrong with it, as a sentence. */
  readonly problem?: string;
  /** Whether the problem leaves open which pods it selects. */
  readonly selectsUnknown?: boolean;
}

export function checkedSidecarSet(given: SidecarSet): CheckedSidecarSet {
  return typeof given === "object" && given !== null ? check(given) : malformed(given);
}

const check = oncePer((given: SidecarSet): CheckedSidecarSet => {
  if (shapeProblem(given) !== undefined) return malformed(given);
  return { sidecarSet: hasNull(given) ? withoutNulls(given) : given };
});

function malformed(given: unknown): CheckedSidecarSet {
  const { path, problem } = shapeProblem(given) ?? { path: "", problem: "" };
  const named = member(member(given, "metadata"), "name");
  const name = typeof named === "string" ? named : "";
  const spec = member(given, "spec");
  const selectors = { selector: member(spec, "selector"), namespaceSelector: member(spec, "namespaceSelector") };
  const reduced = { metadata: { name }, spec: selectors };
  const selectsUnknown = typeof spec !== "object" || Array.isArray(spec) || shapeProblem(reduced) !== undefined;
  return {
    sidecarSet: (selectsUnknown ? { ...reduced, spec: {} } : withoutNulls(reduced)) as SidecarSet,
    problem: `SidecarSet ${name}: ${path === "" ? "it" : path} ${problem}`,
    selectsUnknown,
  };
}

/** Its own one; `undefined` too where there is none or it is null. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name] ?? undefined;
}

function hasNull(value: unknown): boolean {
  if (typeof value !== "object") return false;
  return value === null || Object.values(value).some(hasNull);
}
