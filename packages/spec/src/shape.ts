// SPDX-License-Identifier: Apache-2.0
import { isRaw } from "./defaults/raw.ts";
import { extentProblem } from "./extent.ts";
import { checkAgainstSchema } from "./schema-check.ts";
import { metadataSchema, specSchema } from "./sidecar-set-schema.ts";

/** The first value of a wrong type, or what makes an object larger than any that could be meant. */
export interface ShapeProblem {
  /** Path of the field: `spec.containers[0].ports`; empty for the object itself. */
  readonly path: string;
  /** As the end of a sentence that starts with the path. */
  readonly problem: string;
}

/**
 * Why something is no SidecarSet, as far as types go, so that functions that take one may be called with it; for what
 * did not come from an API server. Members that are null say nothing; remove them. Validation finds much more.
 *
 * @example shapeProblem({ metadata: {}, spec: { containers: "c" } }) // { path: "spec.containers", problem: "must be a list" }
 */
export function shapeProblem(object: unknown): ShapeProblem | undefined {
  if (!isRaw(object)) return { path: "", problem: "must be an object" };
  const large = extentProblem(object);
  if (large) return large;
  for (const [name, schema] of SCHEMAS) {
    if (!isRaw(object[name])) return { path: name, problem: "must be an object" };
    const [error] = checkAgainstSchema(schema, object[name], name).typeErrors;
    if (error) return { path: error.path, problem: `must be ${error.expected}` };
    const path = nullItem(object[name], name);
    if (path !== undefined) return { path, problem: "is null" };
  }
  return undefined;
}

const SCHEMAS = [["metadata", metadataSchema] as const, ["spec", specSchema("v1beta1")] as const];

/** The path of the first item of a list that is null. */
function nullItem(value: unknown, path: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const isList = Array.isArray(value);
  for (const [key, item] of Object.entries(value)) {
    const at = isList ? `${path}[${key}]` : `${path}.${key}`;
    const found = isList && item === null ? at : nullItem(item, at);
    if (found !== undefined) return found;
  }
  return undefined;
}
