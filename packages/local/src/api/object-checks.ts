// SPDX-License-Identifier: Apache-2.0
import type { Call, Context } from "./call.ts";
import { badRequest, fieldForbidden, type FieldError, forbidden, invalid, notFound } from "./failure.ts";
import { validateMeta } from "./meta-validation.ts";
import type { ApiObject } from "./object.ts";
import { validateSchema } from "./schema-validation.ts";
import { keyOf } from "./store.ts";

/** All field errors of an object as it would be stored. */
export function problemsOf(call: Call, object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const { type, version } = call.resolved;
  return [
    ...validateMeta(object.metadata, type.kind === "Namespace" || type.kind === "Service" ? "label" : "subdomain"),
    ...addedFinalizers(object, old),
    ...(version.schema ? validateSchema(object, version.schema) : []),
    ...(call.subresource === "status" ? [] : (type.validate?.(object, old) ?? [])),
  ];
}

function addedFinalizers({ metadata }: ApiObject, old: ApiObject | undefined): FieldError[] {
  if (!old?.metadata.deletionTimestamp) return [];
  const added = (metadata.finalizers ?? []).filter((one) => !old.metadata.finalizers?.includes(one));
  if (added.length === 0) return [];
  const why = "no new finalizers can be added if the object is being deleted";
  return [fieldForbidden("metadata.finalizers", `${why}, found new finalizers ${JSON.stringify(added)}`)];
}

/** Throws the 422 that names them, if there are any. */
export function refuse(call: Call, object: ApiObject, errors: FieldError[]): void {
  if (errors.length > 0) throw invalid(call.resolved.type, object.metadata.name ?? "", errors);
}

/** The namespace is that of the path; another one in the object is a 400. */
export function placeInNamespace(object: ApiObject, { namespace, resolved: { type } }: Call): void {
  if (!type.namespaced) delete object.metadata.namespace;
  else if (object.metadata.namespace && object.metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  } else if (namespace !== undefined) object.metadata.namespace = namespace;
}

/** New objects need a namespace that exists and is not going away. */
export function checkNamespace({ store }: Context, call: Call, name: string): void {
  if (!call.resolved.type.namespaced) return;
  const namespace = store.get("/namespaces", keyOf(undefined, call.namespace ?? ""));
  if (!namespace) throw notFound({ group: "", plural: "namespaces" }, call.namespace ?? "");
  if (namespace.metadata.deletionTimestamp) {
    throw forbidden(
      call.resolved.type,
      name,
      `unable to create new content in namespace ${call.namespace} because it is being terminated`,
      "NamespaceTerminating",
    );
  }
}
