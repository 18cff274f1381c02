// SPDX-License-Identifier: Apache-2.0
import { copy, field, isJsonObject, type JsonObject, setField } from "./object.ts";

/** RFC 7386: objects merge, `null` removes, everything else (lists too) replaces. Neither argument is changed. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return copy(patch);
  const result: JsonObject = isJsonObject(document) ? { ...document } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else setField(result, name, applyMergePatch(field(result, name), value));
  }
  return result;
}
