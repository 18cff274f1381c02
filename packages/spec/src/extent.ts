// SPDX-License-Identifier: Apache-2.0
import { isRaw } from "./defaults/raw.ts";

/** Deeper than any Kubernetes object; so that whatever walks a value has enough of the stack. */
const MAX_DEPTH = 100;
/** Far more than a pod can run; so that work per container stays short. */
const MAX_CONTAINERS = 1000;
/** More than anybody reads; so that a refusal can't become larger than the object by orders of magnitude. */
export const MAX_FINDINGS = 1000;

/** What is wrong, as the end of a sentence that starts with "It". */
export interface ExtentProblem {
  readonly path: string;
  readonly problem: string;
}

/**
 * Why an object is larger than any that could be meant, and where; undefined for all others. Nothing else is looked at
 * in such an object.
 */
export function extentProblem(object: unknown): ExtentProblem | undefined {
  const deep = depthProblem(object);
  if (deep || !isRaw(object)) return deep;
  for (const list of ["containers", "initContainers"]) {
    const containers = isRaw(object["spec"]) ? object["spec"][list] : undefined;
    if (Array.isArray(containers) && containers.length > MAX_CONTAINERS)
      return { path: `spec.${list}`, problem: `has more than ${MAX_CONTAINERS} entries` };
  }
  return undefined;
}

/** As {@link extentProblem}, for nesting alone. */
export function depthProblem(object: unknown): ExtentProblem | undefined {
  if (!isRaw(object)) return undefined;
  for (const [name, member] of Object.entries(object)) {
    if (!isDeep(member, MAX_DEPTH)) continue;
    const part = isRaw(member) ? Object.keys(member).find((key) => isDeep(member[key], MAX_DEPTH - 1)) : undefined;
    const path = part === undefined ? name : `${name}.${part}`;
    return { path, problem: `is nested deeper than ${MAX_DEPTH} levels` };
  }
  return undefined;
}

function isDeep(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeep(member, levels - 1));
}
