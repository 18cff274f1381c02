// SPDX-License-Identifier: Apache-2.0
import type { ApiStatus } from "@hot/kube";

/** A group and its plural: `pods`, or `deployments.apps` outside the core group. */
export interface GroupResource {
  group: string;
  plural: string;
}

export function qualified({ group, plural }: GroupResource): string {
  return group === "" ? plural : `${plural}.${group}`;
}

/** A refusal that reaches the client as `metav1.Status`. Everything else that is thrown becomes a 500. */
export class ApiFailure extends Error {
  readonly status: ApiStatus & { code: number };

  constructor(code: number, reason: string, message: string, details?: ApiStatus["details"] & { group?: string }) {
    super(message);
    this.name = "ApiFailure";
    this.status = { kind: "Status", status: "Failure", message, reason, ...(details ? { details } : {}), code };
  }
}

/** One error of a 422: where, what kind of error, and the sentence that names the value. */
export interface FieldError {
  field: string;
  reason:
    | "FieldValueInvalid"
    | "FieldValueRequired"
    | "FieldValueNotSupported"
    | "FieldValueTypeInvalid"
    | "FieldValueForbidden"
    | "FieldValueDuplicate";
  message: string;
}

export const fieldInvalid = (field: string, value: unknown, detail: string): FieldError => ({
  field,
  reason: "FieldValueInvalid",
  message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
});

export const fieldRequired = (field: string, detail = ""): FieldError => ({
  field,
  reason: "FieldValueRequired",
  message: detail === "" ? "Required value" : `Required value: ${detail}`,
});

export const fieldNotSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  field,
  reason: "FieldValueNotSupported",
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((one) => JSON.stringify(one)).join(", ")}`,
});

export const fieldForbidden = (field: string, detail: string): FieldError => ({
  field,
  reason: "FieldValueForbidden",
  message: `Forbidden: ${detail}`,
});

export const badRequest = (message: string): ApiFailure => new ApiFailure(400, "BadRequest", message);

export const notFound = (resource: GroupResource, name: string): ApiFailure =>
  new ApiFailure(404, "NotFound", `${qualified(resource)} "${name}" not found`, {
    name,
    group: resource.group,
    kind: resource.plural,
  });

export const unknownPath = (): ApiFailure =>
  new ApiFailure(404, "NotFound", "the server could not find the requested resource");

export const alreadyExists = (resource: GroupResource, name: string): ApiFailure =>
  new ApiFailure(409, "AlreadyExists", `${qualified(resource)} "${name}" already exists`, {
    name,
    group: resource.group,
    kind: resource.plural,
  });

export const conflict = (resource: GroupResource, name: string, why: string): ApiFailure =>
  new ApiFailure(409, "Conflict", `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`, {
    name,
    group: resource.group,
    kind: resource.plural,
  });

export const modified = (resource: GroupResource, name: string): ApiFailure =>
  conflict(
    resource,
    name,
    "the object has been modified; please apply your changes to the latest version and try again",
  );

export const forbidden = (resource: GroupResource, name: string, why: string, cause?: string): ApiFailure =>
  new ApiFailure(403, "Forbidden", `${qualified(resource)} "${name}" is forbidden: ${why}`, {
    name,
    group: resource.group,
    kind: resource.plural,
    ...(cause ? { causes: [{ reason: cause, message: why, field: "metadata.namespace" }] } : {}),
  });

export function invalid(
  kind: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiFailure {
  const sentences = errors.map((error) => `${error.field}: ${error.message}`);
  const all = sentences.length === 1 ? sentences[0] : `[${sentences.join(", ")}]`;
  const subject = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  return new ApiFailure(422, "Invalid", `${subject} "${name}" is invalid: ${all}`, {
    name,
    group: kind.group,
    kind: kind.kind,
    causes: errors.map(({ field, reason, message }) => ({ reason, message, field })),
  });
}

export const expired = (message: string): ApiFailure => new ApiFailure(410, "Expired", message);

export const internalError = (message: string): ApiFailure =>
  new ApiFailure(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });

export const unsupportedMediaType = (message: string): ApiFailure =>
  new ApiFailure(415, "UnsupportedMediaType", message);

/** The client has seen a version that this server has not: it talks to another one, or to one that began anew. */
export function versionTooLarge(wanted: number, current: number): ApiFailure {
  return new ApiFailure(504, "Timeout", `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}
