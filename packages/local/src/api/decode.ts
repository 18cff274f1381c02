// SPDX-License-Identifier: Apache-2.0
import { badRequest } from "./failure.ts";
import { dropUnknownFields } from "./known-fields.ts";
import { type ApiObject, copy, field, isJsonObject, type JsonObject, shown } from "./object.ts";
import { apiVersionOf } from "./resource-type.ts";
import type { Resolved } from "./registry.ts";
import { applyDefaults, prune } from "./schema.ts";

export type FieldValidation = "Ignore" | "Warn" | "Strict";

const META_FIELDS = new Set([
  "name",
  "generateName",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "managedFields",
]);
/** Top-level fields of the built-in kinds whose content is a spec. */
const SPEC_KINDS = new Set([
  "Pod",
  "Namespace",
  "Service",
  "Node",
  "Deployment",
  "ReplicaSet",
  "Lease",
  "CustomResourceDefinition",
]);
const SPEC_FIELDS = new Set(["apiVersion", "kind", "metadata", "spec", "status"]);

/**
 * Turns what a client or a webhook sent into an object of the expected kind: checks its shape, removes fields that the
 * kind does not have (naming them by `fieldValidation`), fills in defaults. Returns a new object.
 */
export function decode(
  { type, version }: Resolved,
  sent: unknown,
  fieldValidation: FieldValidation,
  warn: (text: string) => void,
): ApiObject {
  const expected = apiVersionOf(type.group, version.name);
  const body = sent === null ? {} : sent;
  if (!isJsonObject(body)) throw badRequest("the body of the request is no JSON object");
  const { apiVersion = expected, kind = type.kind } = body;
  if (apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${shown(apiVersion)}) does not match the expected API version (${expected})`,
    );
  }
  if (kind !== type.kind) {
    throw badRequest(`${shown(kind)} in version ${JSON.stringify(version.name)} cannot be handled as a ${type.kind}`);
  }
  const dropped: string[] = [];
  const metadata = decodeMeta(field(body, "metadata") ?? {}, dropped);
  let object: ApiObject = { apiVersion: expected, kind: type.kind, ...copy(body), metadata };
  if (version.schema) object = prune(object, version.schema, dropped) as ApiObject;
  else if (SPEC_KINDS.has(type.kind)) dropUnknown(object, SPEC_FIELDS, dropped, "");
  if (!type.custom) dropUnknownFields(type.kind, object, dropped);
  report(dropped, fieldValidation, warn);
  type.defaults?.(object);
  if (version.schema) applyDefaults(object, version.schema);
  return object;
}

function decodeMeta(metadata: unknown, dropped: string[]): ApiObject["metadata"] {
  if (!isJsonObject(metadata)) throw badRequest("metadata must be an object");
  const result = copy(metadata);
  dropUnknown(result, META_FIELDS, dropped, "metadata.");
  delete result.managedFields;
  delete result.selfLink;
  for (const name of ["name", "generateName", "namespace", "uid", "resourceVersion"])
    expect(result, name, typeof result[name] === "string", "a string");
  for (const name of ["labels", "annotations"]) {
    const map = result[name];
    expect(
      result,
      name,
      isJsonObject(map) && Object.values(map).every((value) => typeof value === "string"),
      "a map of strings",
    );
  }
  const { ownerReferences: owners, finalizers } = result;
  expect(result, "ownerReferences", Array.isArray(owners) && owners.every(isJsonObject), "a list of objects");
  expect(
    result,
    "finalizers",
    Array.isArray(finalizers) && finalizers.every((one) => typeof one === "string"),
    "a list of strings",
  );
  return result;
}

/** `null` and the empty text are the same as absent. */
function expect(metadata: JsonObject, name: string, fits: boolean, what: string): void {
  if (metadata[name] === undefined || metadata[name] === null || metadata[name] === "") delete metadata[name];
  else if (!fits) throw badRequest(`metadata.${name} must be ${what}`);
}

function dropUnknown(object: JsonObject, known: ReadonlySet<string>, dropped: string[], prefix: string): void {
  for (const name of Object.keys(object)) {
    if (known.has(name)) continue;
    delete object[name];
    dropped.push(prefix + name);
  }
}

function report(dropped: string[], fieldValidation: FieldValidation, warn: (text: string) => void): void {
  const unknown = dropped.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (unknown.length === 0 || fieldValidation === "Ignore") return;
  if (fieldValidation === "Strict") throw badRequest(`strict decoding error: ${unknown.join(", ")}`);
  for (const text of unknown) warn(text);
}
