// SPDX-License-Identifier: Apache-2.0
import type { ObjectMeta } from "@hot/spec";
import { type FieldError, fieldInvalid, fieldRequired } from "./failure.ts";
import { isJsonObject } from "./object.ts";

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const ANNOTATIONS_LIMIT = 256 * 1024;

export const isDnsLabel = (name: string): boolean => name.length <= 63 && LABEL.test(name);
export const isDnsSubdomain = (name: string): boolean => name.length <= 253 && SUBDOMAIN.test(name);

const DNS_LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

/** A name that must be a DNS label, such as that of a container or a namespace. */
export function validateDnsLabel(field: string, name: unknown): FieldError[] {
  if (typeof name !== "string" || name === "") return [fieldRequired(field)];
  return isDnsLabel(name) ? [] : [fieldInvalid(field, name, DNS_LABEL_RULE)];
}

/** The rules that hold for every object's metadata. */
export function validateMeta(metadata: ObjectMeta, rule: "label" | "subdomain", path = "metadata"): FieldError[] {
  const errors: FieldError[] = [];
  const { name } = metadata;
  if (name === undefined || name === "") {
    errors.push(fieldRequired(`${path}.name`, "name or generateName is required"));
  } else if (rule === "label" && !isDnsLabel(name)) errors.push(fieldInvalid(`${path}.name`, name, DNS_LABEL_RULE));
  else if (!isDnsSubdomain(name)) errors.push(fieldInvalid(`${path}.name`, name, SUBDOMAIN_RULE));
  return [
    ...errors,
    ...validateLabels(metadata.labels, `${path}.labels`),
    ...validateAnnotations(metadata.annotations, `${path}.annotations`),
    ...validateOwners(metadata, path),
    ...(metadata.finalizers ?? []).flatMap((finalizer, index) =>
      isQualifiedName(finalizer)
        ? []
        : [
            fieldInvalid(
              `${path}.finalizers[${index}]`,
              finalizer,
              "name part must consist of alphanumeric characters, '-', '_' or '.'",
            ),
          ],
    ),
  ];
}

export function validateLabels(labels: unknown, path: string): FieldError[] {
  if (labels === undefined) return [];
  if (!isJsonObject(labels)) return [fieldInvalid(path, labels, "must be a map of strings")];
  return Object.entries(labels).flatMap(([key, value]) => {
    if (!isQualifiedName(key))
      return [
        fieldInvalid(
          path,
          key,
          "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        ),
      ];
    if (typeof value !== "string" || value.length > 63 || !LABEL_VALUE.test(value)) {
      return [
        fieldInvalid(
          path,
          value,
          "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        ),
      ];
    }
    return [];
  });
}

function validateAnnotations(annotations: unknown, path: string): FieldError[] {
  if (annotations === undefined) return [];
  if (!isJsonObject(annotations)) return [fieldInvalid(path, annotations, "must be a map of strings")];
  let size = 0;
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(annotations)) {
    if (!isQualifiedName(key.toLowerCase()))
      errors.push(fieldInvalid(path, key, "name part must consist of alphanumeric characters, '-', '_' or '.'"));
    if (typeof value !== "string") errors.push(fieldInvalid(`${path}.${key}`, value, "must be a string"));
    else size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > ANNOTATIONS_LIMIT) {
    errors.push({
      field: path,
      reason: "FieldValueInvalid",
      message: `Too long: may not be more than ${ANNOTATIONS_LIMIT} bytes`,
    });
  }
  return errors;
}

function validateOwners(metadata: ObjectMeta, path: string): FieldError[] {
  const owners = metadata.ownerReferences ?? [];
  const errors = owners.flatMap((owner) =>
    (["apiVersion", "kind", "name", "uid"] as const).flatMap((name) =>
      owner[name]
        ? []
        : [
            fieldInvalid(
              `${path}.ownerReferences.${name}`,
              "",
              `${name === "apiVersion" ? "version " : ""}must not be empty`,
            ),
          ],
    ),
  );
  if (owners.filter((owner) => owner.controller === true).length > 1) {
    errors.push(
      fieldInvalid(
        `${path}.ownerReferences`,
        owners.map(({ name }) => name),
        "Only one reference can have Controller set to true",
      ),
    );
  }
  return errors;
}

function isQualifiedName(key: string): boolean {
  const parts = key.split("/");
  const name = parts.at(-1) ?? "";
  if (parts.length > 2 || name.length > 63 || !QUALIFIED.test(name)) return false;
  return parts.length === 1 || isDnsSubdomain(parts[0] ?? "");
}
