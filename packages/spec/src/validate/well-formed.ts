// SPDX-License-Identifier: Apache-2.0
import { isRaw, type Raw } from "../defaults/raw.ts";
import { fieldError, required, type FieldErrors } from "../field-error.ts";
import { checkAgainstSchema } from "../schema-check.ts";
import { metadataSchema, specSchema } from "../sidecar-set-schema.ts";

/** Wrong JSON types anywhere. The other rules are only applied to an object that has none. */
export function* validateTypes(object: Raw, version: "v1alpha1" | "v1beta1"): FieldErrors {
  for (const [name, schema] of [["metadata", metadataSchema] as const, ["spec", specSchema(version)] as const]) {
    if (object[name] === undefined || object[name] === null) {
      yield required(name);
      continue;
    }
    for (const { path, value, expected } of checkAgainstSchema(schema, object[name], name).typeErrors)
      yield fieldError(
        "Malformed",
        "FieldValueTypeInvalid",
        path,
        value,
        `It must be ${expected}.`,
        "Correct the value.",
      );
    yield* nullItems(object[name], name);
  }
}

function* nullItems(value: unknown, path: string): FieldErrors {
  if (isRaw(value)) {
    for (const [key, item] of Object.entries(value)) yield* nullItems(item, `${path}.${key}`);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (item === null)
        yield fieldError(
          "Malformed",
          "FieldValueTypeInvalid",
          `${path}[${index}]`,
          null,
          "It is null.",
          "Remove the item.",
        );
      else yield* nullItems(item, `${path}[${index}]`);
    }
  }
}
