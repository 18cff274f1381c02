// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { type FieldError, fieldRequired } from "./failure.ts";
import { field, isJsonObject } from "./object.ts";
import { propertyOf, type Schema } from "./schema.ts";
import { compilePattern } from "./schema-shape.ts";

/** Checks a value against the essentials of a structural schema. CEL rules (`x-kubernetes-validations`) are not run. */
export function validateSchema(value: unknown, schema: Schema, path = ""): FieldError[] {
  if (value === null && schema.nullable === true) return [];
  const type = typeError(value, schema, path);
  if (type) return [type];
  return [
    ...(schema.enum && !schema.enum.some((item) => isDeepStrictEqual(item, value))
      ? [notSupported(path, value, schema.enum)]
      : []),
    ...limits(value, schema, path),
    ...children(value, schema, path),
    ...logic(value, schema, path),
  ];
}

function typeError(value: unknown, schema: Schema, path: string): FieldError | undefined {
  const actual = typeName(value);
  if (schema["x-kubernetes-int-or-string"] === true) {
    if (actual === "string" || Number.isInteger(value)) return undefined;
    return wrongType(path, value, "integer,string", actual);
  }
  if (schema.type === undefined) return undefined;
  const fits =
    schema.type === "integer"
      ? Number.isInteger(value)
      : schema.type === "number"
        ? actual === "number"
        : actual === schema.type;
  return fits ? undefined : wrongType(path, value, schema.type, actual);
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function limits(value: unknown, schema: Schema, path: string): FieldError[] {
  const bad = (detail: string): FieldError[] => [invalidIn(path, value, detail)];
  if (typeof value === "number") {
    if (schema.minimum !== undefined && value < schema.minimum)
      return bad(`should be greater than or equal to ${schema.minimum}`);
    if (schema.maximum !== undefined && value > schema.maximum)
      return bad(`should be less than or equal to ${schema.maximum}`);
    if (schema.format === "int32" && Math.abs(value) > 2 ** 31) return bad("must be of type int32");
  }
  if (typeof value === "string") {
    if (schema.minLength !== undefined && value.length < schema.minLength)
      return bad(`should be at least ${schema.minLength} chars long`);
    if (schema.maxLength !== undefined && value.length > schema.maxLength)
      return bad(`should be at most ${schema.maxLength} chars long`);
    if (schema.pattern !== undefined && compilePattern(schema.pattern)?.test(value) === false)
      return bad(`should match '${schema.pattern}'`);
    if (schema.format === "date-time" && Number.isNaN(Date.parse(value))) return bad("must be of type date-time");
  }
  if (Array.isArray(value)) {
    if (schema.minItems !== undefined && value.length < schema.minItems)
      return bad(`should have at least ${schema.minItems} items`);
    if (schema.maxItems !== undefined && value.length > schema.maxItems)
      return bad(`should have at most ${schema.maxItems} items`);
  }
  return [];
}

function children(value: unknown, schema: Schema, path: string): FieldError[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    const errors = items ? value.flatMap((item, index) => validateSchema(item, items, `${path}[${index}]`)) : [];
    return [...errors, ...duplicateItems(value, schema, path)];
  }
  if (!isJsonObject(value)) return [];
  const missing = (schema.required ?? []).filter((name) => !Object.hasOwn(value, name));
  return [
    ...missing.map((name) => fieldRequired(join(path, name))),
    ...Object.entries(value).flatMap(([name, item]) => {
      if (path === "" && (name === "apiVersion" || name === "kind" || name === "metadata")) return [];
      const property = propertyOf(schema, name);
      if (property) return validateSchema(item, property, join(path, name));
      const extra = schema.additionalProperties;
      return isJsonObject(extra) ? validateSchema(item, extra, join(path, name)) : [];
    }),
  ];
}

function duplicateItems(list: unknown[], schema: Schema, path: string): FieldError[] {
  const kind = schema["x-kubernetes-list-type"];
  if (kind !== "map" && kind !== "set") return [];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const idOf = (item: unknown): string =>
    JSON.stringify(kind === "set" ? item : Object.fromEntries(keys.map((key) => [key, field(item, key)])));
  const ids = list.map(idOf);
  return ids.flatMap((id, index) =>
    ids.indexOf(id) < index
      ? [{ field: `${path}[${index}]`, reason: "FieldValueDuplicate" as const, message: `Duplicate value: ${id}` }]
      : [],
  );
}

function logic(value: unknown, schema: Schema, path: string): FieldError[] {
  const holds = (part: Schema): boolean => validateSchema(value, part, path).length === 0;
  const bad = (detail: string): FieldError[] => [invalidIn(path, value, detail)];
  const errors = (schema.allOf ?? []).flatMap((part) => validateSchema(value, part, path));
  if (schema.anyOf && !schema.anyOf.some(holds)) errors.push(...bad("must validate at least one schema (anyOf)"));
  if (schema.oneOf && schema.oneOf.filter(holds).length !== 1)
    errors.push(...bad("must validate one and only one schema (oneOf)"));
  if (schema.not && holds(schema.not)) errors.push(...bad("must not validate the schema (not)"));
  return errors;
}

const join = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

function invalidIn(path: string, value: unknown, detail: string): FieldError {
  return {
    field: path,
    reason: "FieldValueInvalid",
    message: `Invalid value: ${JSON.stringify(value)}: ${path} in body ${detail}`,
  };
}

function wrongType(path: string, value: unknown, wanted: string, actual: string): FieldError {
  return {
    field: path === "" ? "<nil>" : path,
    reason: "FieldValueTypeInvalid",
    message: `Invalid value: ${JSON.stringify(typeName(value) === "object" ? "object" : value)}: ${path} in body must be of type ${wanted}: ${JSON.stringify(actual)}`,
  };
}

function notSupported(path: string, value: unknown, supported: unknown[]): FieldError {
  return {
    field: path,
    reason: "FieldValueNotSupported",
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((item) => JSON.stringify(item)).join(", ")}`,
  };
}
