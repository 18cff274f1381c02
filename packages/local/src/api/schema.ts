// SPDX-License-Identifier: Apache-2.0
import { copy, field, isJsonObject, type JsonObject, setField } from "./object.ts";

/** An OpenAPI v3 schema of a CustomResourceDefinition, as far as this server reads it. */
export interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  required?: string[];
  nullable?: boolean;
  default?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  not?: Schema;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-embedded-resource"?: boolean;
  "x-kubernetes-list-type"?: string;
  "x-kubernetes-list-map-keys"?: string[];
  [extension: string]: unknown;
}

export function propertyOf(schema: Schema, name: string): Schema | undefined {
  return schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
}

/** Removes the fields that the schema does not declare and does not preserve; `dropped` collects their paths. */
export function prune(value: unknown, schema: Schema, dropped: string[], path = ""): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? value.map((item, index) => prune(item, items, dropped, `${path}[${index}]`)) : value;
  }
  if (!isJsonObject(value)) return value;
  const result: JsonObject = {};
  const embedded = path === "" || schema["x-kubernetes-embedded-resource"] === true;
  for (const [name, item] of Object.entries(value)) {
    const here = path === "" ? name : `${path}.${name}`;
    const property = propertyOf(schema, name);
    const extra = schema.additionalProperties;
    if (embedded && (name === "apiVersion" || name === "kind" || name === "metadata")) setField(result, name, item);
    else if (property) setField(result, name, prune(item, property, dropped, here));
    else if (isJsonObject(extra)) setField(result, name, prune(item, extra, dropped, here));
    else if (extra === true || schema["x-kubernetes-preserve-unknown-fields"] === true) setField(result, name, item);
    else dropped.push(here);
  }
  return result;
}

/** Sets declared defaults where a field is absent, or null without being nullable. Changes the value. */
export function applyDefaults(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) {
    if (schema.items) for (const item of value) applyDefaults(item, schema.items);
    return;
  }
  if (!isJsonObject(value)) return;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const present = field(value, name);
    const absent = present === undefined || (present === null && property.nullable !== true);
    if (absent && property.default !== undefined) setField(value, name, copy(property.default));
    applyDefaults(field(value, name), property);
  }
  if (isJsonObject(schema.additionalProperties)) {
    for (const [name, item] of Object.entries(value)) {
      if (!propertyOf(schema, name)) applyDefaults(item, schema.additionalProperties);
    }
  }
}
