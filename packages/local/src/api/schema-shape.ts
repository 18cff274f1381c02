// SPDX-License-Identifier: Apache-2.0
import { type FieldError, fieldInvalid, fieldRequired } from "./failure.ts";
import { isJsonObject } from "./object.ts";
import type { Schema } from "./schema.ts";

const TYPES = new Set(["object", "array", "string", "number", "integer", "boolean"]);
const NUMBERS = ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"];
const SCHEMAS = ["items", "not"];
const LISTS_OF_SCHEMAS = ["allOf", "anyOf", "oneOf"];
const TEXTS = ["required", "x-kubernetes-list-map-keys"];

/** Whether a definition's schema is one: after this check the functions that walk it may trust its shape. */
export function checkSchemaShape(schema: unknown, path: string): FieldError[] {
  if (!isJsonObject(schema)) return [fieldInvalid(path, schema, "must be a schema object")];
  const errors: FieldError[] = [];
  const expect = (name: string, holds: boolean, what: string): void => {
    if (schema[name] !== undefined && !holds) errors.push(fieldInvalid(`${path}.${name}`, schema[name], what));
  };
  expect("type", typeof schema.type === "string" && TYPES.has(schema.type), `must be one of ${[...TYPES].join(", ")}`);
  expect("enum", Array.isArray(schema.enum), "must be a list");
  expect(
    "pattern",
    typeof schema.pattern === "string" && compilePattern(schema.pattern) !== undefined,
    "must be a regular expression",
  );
  for (const name of NUMBERS) expect(name, typeof schema[name] === "number", "must be a number");
  for (const name of TEXTS) {
    const list = schema[name];
    expect(name, Array.isArray(list) && list.every((one) => typeof one === "string"), "must be a list of strings");
  }
  expect("properties", isJsonObject(schema.properties), "must be a map of schemas");
  if (isJsonObject(schema.properties)) {
    for (const [name, property] of Object.entries(schema.properties))
      errors.push(...checkSchemaShape(property, `${path}.properties[${name}]`));
  }
  for (const name of SCHEMAS)
    if (schema[name] !== undefined) errors.push(...checkSchemaShape(schema[name], `${path}.${name}`));
  const { additionalProperties: extra } = schema;
  if (extra !== undefined && typeof extra !== "boolean")
    errors.push(...checkSchemaShape(extra, `${path}.additionalProperties`));
  for (const name of LISTS_OF_SCHEMAS) {
    const list = schema[name];
    expect(name, Array.isArray(list), "must be a list of schemas");
    if (Array.isArray(list))
      errors.push(...list.flatMap((one, index) => checkSchemaShape(one, `${path}.${name}[${index}]`)));
  }
  return errors;
}

/** A version's schema: its root is an object, as every Kubernetes object is. */
export function checkRootSchema(schema: unknown, path: string): FieldError[] {
  if (!isJsonObject(schema)) return [fieldRequired(path, "schemas are required")];
  const root =
    schema.type === "object" ? [] : [fieldInvalid(`${path}.type`, schema.type ?? "", "must be object at the root")];
  return [...root, ...checkSchemaShape(schema, path)];
}

/** Patterns are written for RE2; what JavaScript reads otherwise only in its Unicode mode is read without it. */
export function compilePattern(pattern: NonNullable<Schema["pattern"]>): RegExp | undefined {
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(pattern, flags);
    } catch {
      // Tried again without the Unicode mode, which refuses escapes that RE2 allows.
    }
  }
  return undefined;
}
