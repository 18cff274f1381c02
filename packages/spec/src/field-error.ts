// SPDX-License-Identifier: Apache-2.0
import { GROUP, KIND } from "./names.ts";
import { reasonCode, type ReasonCode, type ValidationReason } from "./reason-codes.ts";

/** Kubernetes' names of field errors, as `causes[].reason` of a `metav1.Status` has them. */
export type FieldErrorType =
  | "FieldValueRequired"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueDuplicate"
  | "FieldValueForbidden"
  | "FieldValueNotFound"
  | "FieldValueTooLong"
  | "FieldValueTypeInvalid";

/** One fault of an object. */
export interface FieldError {
  code: ReasonCode<ValidationReason>["code"];
  type: FieldErrorType;
  /** Path of the field: `spec.containers[0].ports[1].name`. */
  field: string;
  /** The value that was refused. */
  value: unknown;
  /** What is wrong with it. */
  reason: string;
  /** How to correct it. */
  fix: string;
}

/** Validators yield their findings one by one, in the order of the object's fields. */
export type FieldErrors = Generator<FieldError, void, undefined>;

/** Makes one error; sentence and fix come from the registry where they are not given. */
export function fieldError(
  code: ValidationReason,
  type: FieldErrorType,
  field: string,
  value: unknown,
  reason?: string,
  fix?: string,
): FieldError {
  const entry = reasonCode(code);
  return { code: entry.code, type, field, value, reason: reason ?? entry.sentence, fix: fix ?? entry.fix };
}

export const required = (field: string, reason?: string, fix?: string): FieldError =>
  fieldError("FieldRequired", "FieldValueRequired", field, undefined, reason, fix);

export const invalid = (field: string, value: unknown, reason: string, fix?: string): FieldError =>
  fieldError("FieldInvalid", "FieldValueInvalid", field, value, reason, fix);

export const duplicate = (field: string, value: unknown): FieldError =>
  fieldError("FieldDuplicate", "FieldValueDuplicate", field, value);

export const forbidden = (field: string, value: unknown, reason: string): FieldError =>
  fieldError("FieldForbidden", "FieldValueForbidden", field, value, reason);

/** A value that is not among the supported ones, which the fix lists. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError =>
  fieldError("FieldNotSupported", "FieldValueNotSupported", field, value, undefined, `Use ${oneOf(supported)}.`);

export function oneOf(values: readonly string[]): string {
  return values.length < 2 ? values.join() : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
}

const MAX_VALUE_LENGTH = 80;

/** The message of one error: what, why, how to solve it, code. */
export function fieldErrorMessage({ code, value, reason, fix }: FieldError): string {
  if (value === undefined) return `${reason} ${fix} (${code})`;
  const text = JSON.stringify(value) ?? typeof value;
  const shown = text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
  return `${shown}: ${reason} ${fix} (${code})`;
}

/** `details.causes` of the `metav1.Status` with which a webhook refuses an object (HTTP 422, reason Invalid). */
export function toStatusCauses(errors: readonly FieldError[]): { reason: string; message: string; field: string }[] {
  return errors.map((error) => ({ reason: error.type, message: fieldErrorMessage(error), field: error.field }));
}

/** What of a `metav1.Status` an admission response needs in order to refuse an object. */
export interface InvalidStatus {
  code: 422;
  reason: "Invalid";
  message: string;
  details: { name: string; group: string; kind: string; causes: ReturnType<typeof toStatusCauses> };
}

/**
 * HTTP 422 with all faults: for people in the message, one per line, and for programs in the causes.
 *
 * @param name of the SidecarSet; empty where it is generated
 */
export function toInvalidStatus(name: string, errors: readonly FieldError[]): InvalidStatus {
  const causes = toStatusCauses(errors);
  const lines = causes.map(({ field, message }) => `${field}: ${message}`);
  const text =
    lines.length === 1 ? lines.join("") : [`${lines.length} faults:`, ...lines.map((line) => `* ${line}`)].join("\n");
  return {
    code: 422,
    reason: "Invalid",
    message: `${KIND} "${name}" is invalid: ${text}`,
    details: { name, group: GROUP, kind: KIND, causes },
  };
}
