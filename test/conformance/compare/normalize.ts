// SPDX-License-Identifier: Apache-2.0
import { sidecarContainerSchema } from "../../../packages/spec/src/core-schema.ts";
import { formatQuantity, parseQuantity } from "../../../packages/spec/src/quantity.ts";
import { goJson } from "../../../packages/spec/src/go-json.ts";

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Brings a SidecarSet into the form in which Go serialises it, so that only differences of meaning are left: members
 * that are null, empty lists and zero structs, an all-zero status, several texts of one quantity.
 */
export function normalizeSidecarSet(sidecarSet: unknown): unknown {
  const copy = structuredClone(sidecarSet) as Json;
  if (isObject(copy["spec"])) {
    const { spec } = copy;
    for (const list of ["containers", "initContainers"])
      if (Array.isArray(spec[list]) && spec[list].length > 0)
        spec[list] = JSON.parse(goJson({ list: sidecarContainerSchema }, spec[list])) as unknown;
    for (const name of ["injectionStrategy", "updateStrategy"])
      if (isObject(spec[name]) && Object.keys(withoutEmpty(spec[name]) as Json).length === 0) delete spec[name];
  }
  const status = copy["status"];
  if (isObject(status) && Object.values(status).every((value) => value === 0)) delete copy["status"];
  return numericQuantities(withoutEmpty(copy));
}

const QUANTITY_MEMBERS = new Set(["divisor", "sizeLimit", "storage"]);

/** Volumes carry quantities too, in one of several texts for the same number. */
function numericQuantities(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(numericQuantities);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => {
    const parsed = QUANTITY_MEMBERS.has(key) && typeof item === "string" ? parseQuantity(item) : undefined;
    return [key, parsed ? formatQuantity(parsed) : numericQuantities(item)] as const;
  });
  return Object.fromEntries(entries);
}

/** Drops members that are null, empty lists, or an empty `metadata`, at any depth. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (!isObject(value)) return value;
  const kept = Object.entries(value)
    .map(([key, item]) => [key, withoutEmpty(item)] as const)
    .filter(([, item]) => item !== null && !(Array.isArray(item) && item.length === 0))
    .filter(([key, item]) => !(key === "metadata" && isObject(item) && Object.keys(item).length === 0));
  return Object.fromEntries(kept);
}
