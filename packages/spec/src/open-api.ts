// SPDX-License-Identifier: Apache-2.0
import type { FieldType, List, ScalarType } from "./core-schema.ts";

/** A structural schema as a CustomResourceDefinition carries it. */
export interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  additionalProperties?: JsonSchema;
  [keyword: string]: unknown;
}

const SCALARS: Record<ScalarType, JsonSchema> = {
  string: { type: "string" },
  bool: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  intOrString: { "x-kubernetes-int-or-string": true },
  // Kubernetes takes 0.5 as a number too, for which structural schemas have no type.
  quantity: { "x-kubernetes-preserve-unknown-fields": true },
};

/**
 * The structural schema of a table. Overrides are merged in by path: `containers[].name` is the field `name` of the
 * items of `containers`.
 */
export function openApiSchema(type: FieldType, overrides: Readonly<Record<string, JsonSchema>>, path = ""): JsonSchema {
  return { ...plainSchema(type, overrides, path), ...overrides[path] };
}

function plainSchema(type: FieldType, overrides: Readonly<Record<string, JsonSchema>>, path: string): JsonSchema {
  if (typeof type === "string") return SCALARS[type];
  if ("list" in type) return listSchema(type, overrides, path);
  if ("map" in type) return { type: "object", additionalProperties: SCALARS[type.map] };
  const properties = type.fields.map((field) => {
    const at = path === "" ? field.name : `${path}.${field.name}`;
    return [field.name, openApiSchema(field.type, overrides, at)] as const;
  });
  return { type: "object", properties: Object.fromEntries(properties) };
}

/** Keys are required, because the API server has to tell the elements apart. */
function listSchema({ list, keys }: List, overrides: Readonly<Record<string, JsonSchema>>, path: string): JsonSchema {
  const items = openApiSchema(list, overrides, `${path}[]`);
  if (keys === undefined) return { type: "array", items };
  return {
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": keys,
    items: { ...items, required: keys },
  };
}
