// SPDX-License-Identifier: Apache-2.0
import type { FieldType, ScalarType, Struct } from "./core-schema.ts";
import { MAX_FINDINGS } from "./extent.ts";
import { parseQuantity } from "./quantity.ts";

/** What a value has that its schema has not. Paths are those of Kubernetes: `spec.containers[0].ports[1].containerPort`. */
export interface SchemaFindings {
  /** Wrong JSON types; such an object can't be hashed. */
  typeErrors: { path: string; value: unknown; expected: string }[];
  /** Fields that the schema does not name. */
  unknown: { path: string; field: string; nearest?: string }[];
}

/** Compares a value with its schema; null is always accepted and means unset. The first 1,000 findings of each kind. */
export function checkAgainstSchema(type: FieldType, value: unknown, path: string): SchemaFindings {
  const findings: SchemaFindings = { typeErrors: [], unknown: [] };
  check(type, value, path, findings);
  return findings;
}

function check(type: FieldType, value: unknown, path: string, findings: SchemaFindings): void {
  if (value === null || value === undefined) return;
  const wrong = (expected: string): void => {
    if (findings.typeErrors.length < MAX_FINDINGS) findings.typeErrors.push({ path, value, expected });
  };
  if (typeof type === "string") {
    const expected = SCALARS[type](value);
    if (expected !== undefined) wrong(expected);
  } else if ("list" in type) {
    if (!Array.isArray(value)) return wrong("a list");
    for (const [index, item] of value.entries()) check(type.list, item, `${path}[${index}]`, findings);
  } else if (typeof value !== "object" || Array.isArray(value)) {
    wrong("an object");
  } else if ("map" in type) {
    for (const [key, item] of Object.entries(value)) check(type.map, item, `${path}[${key}]`, findings);
  } else {
    checkStruct(type, value, path, findings);
  }
}

function checkStruct(struct: Struct, value: object, path: string, findings: SchemaFindings): void {
  const known = new Map(struct.fields.map((field) => [field.name, field.type]));
  for (const [name, item] of Object.entries(value)) {
    const type = known.get(name);
    if (type !== undefined) {
      check(type, item, path === "" ? name : `${path}.${name}`, findings);
      continue;
    }
    if (findings.unknown.length >= MAX_FINDINGS) continue;
    const nearest = nearestName(name, [...known.keys()]);
    findings.unknown.push({ path, field: name, ...(nearest === undefined ? {} : { nearest }) });
  }
}

/** For each scalar: undefined when the value fits, else what is expected. */
const SCALARS: Record<ScalarType, (value: unknown) => string | undefined> = {
  string: (value) => (typeof value === "string" ? undefined : "a string"),
  bool: (value) => (typeof value === "boolean" ? undefined : "true or false"),
  int32: (value) => (isInteger(value, 2 ** 31) ? undefined : "a whole number of 32 bits"),
  int64: (value) => (isInteger(value, 2 ** 63) ? undefined : "a whole number"),
  intOrString: (value) => (typeof value === "string" || isInteger(value, 2 ** 31) ? undefined : "a number or a string"),
  quantity: (value) =>
    (typeof value === "string" || typeof value === "number") && parseQuantity(value)
      ? undefined
      : "a quantity such as 100m, 1.5 or 2Gi",
};

function isInteger(value: unknown, limit: number): boolean {
  return Number.isInteger(value) && (value as number) >= -limit && (value as number) < limit;
}

/** The known name with the fewest typing mistakes, or undefined when none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(Math.min(name.length, 24) / 3));
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > limit) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && (!best || distance < best.distance)) best = { name: candidate, distance };
  }
  return best?.name;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn a into b. */
function editDistance(a: string, b: string): number {
  let [before, previous] = [[] as number[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(before, j - 2) + 1);
      current.push(cost);
    }
    [before, previous] = [previous, current];
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
