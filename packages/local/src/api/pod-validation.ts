// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "./failure.ts";
import { validateDnsLabel } from "./meta-validation.ts";
import { at, copy, isJsonObject, type JsonObject, listAt } from "./object.ts";

const RESTART_POLICIES = ["Always", "OnFailure", "Never"];

/** The essentials of a pod's spec; `path` is where it is, `spec` or `spec.template.spec`. */
export function validatePodSpec(spec: unknown, path: string): FieldError[] {
  if (!isJsonObject(spec)) return [fieldRequired(path)];
  const errors: FieldError[] = [];
  const volumes = listAt(spec, "volumes").map(({ name }) => name);
  errors.push(...duplicates(volumes, (index) => `${path}.volumes[${index}].name`));
  listAt(spec, "volumes").forEach(({ name }, index) => {
    errors.push(...validateDnsLabel(`${path}.volumes[${index}].name`, name));
  });
  if (listAt(spec, "containers").length === 0) errors.push(fieldRequired(`${path}.containers`));
  const seen: unknown[] = [];
  for (const list of ["initContainers", "containers"]) {
    listAt(spec, list).forEach((container, index) => {
      const here = `${path}.${list}[${index}]`;
      if (seen.includes(container.name)) errors.push(duplicate(`${here}.name`, container.name));
      seen.push(container.name);
      errors.push(...validateContainer(container, here, volumes));
    });
  }
  const policy = spec.restartPolicy;
  if (typeof policy !== "string" || !RESTART_POLICIES.includes(policy)) {
    errors.push({
      field: `${path}.restartPolicy`,
      reason: "FieldValueNotSupported",
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: ${RESTART_POLICIES.map((name) => JSON.stringify(name)).join(", ")}`,
    });
  }
  const grace = spec.terminationGracePeriodSeconds;
  if (typeof grace !== "number" || grace < 0) {
    errors.push(fieldInvalid(`${path}.terminationGracePeriodSeconds`, grace, "must be greater than or equal to 0"));
  }
  return errors;
}

function validateContainer(container: JsonObject, path: string, volumes: unknown[]): FieldError[] {
  const errors = validateDnsLabel(`${path}.name`, container.name);
  if (typeof container.image !== "string" || container.image === "") errors.push(fieldRequired(`${path}.image`));
  else if (container.image.trim() !== container.image) {
    errors.push(fieldInvalid(`${path}.image`, container.image, "must not have leading or trailing whitespace"));
  }
  listAt(container, "env").forEach(({ name }, index) => {
    if (typeof name !== "string" || name === "") errors.push(fieldRequired(`${path}.env[${index}].name`));
  });
  listAt(container, "ports").forEach(({ containerPort: port }, index) => {
    if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) {
      errors.push(
        fieldInvalid(`${path}.ports[${index}].containerPort`, port ?? null, "must be between 1 and 65535, inclusive"),
      );
    }
  });
  const mounts = listAt(container, "volumeMounts");
  mounts.forEach(({ name, mountPath }, index) => {
    const here = `${path}.volumeMounts[${index}]`;
    if (!volumes.includes(name)) {
      errors.push({
        field: `${here}.name`,
        reason: "FieldValueInvalid",
        message: `Not found: ${JSON.stringify(name)}`,
      });
    }
    if (typeof mountPath !== "string" || mountPath === "") errors.push(fieldRequired(`${here}.mountPath`));
    else if (mounts.findIndex((mount) => mount.mountPath === mountPath) < index) {
      errors.push(fieldInvalid(`${here}.mountPath`, mountPath, "must be unique"));
    }
  });
  return errors;
}

/**
 * A pod's spec is fixed once it is created, the images of its containers excepted.
 * (Tolerations and deadlines may change on a cluster too; nothing here runs by them.)
 */
export function validatePodUpdate(spec: unknown, old: unknown): FieldError[] {
  if (listAt(spec, "containers").length !== listAt(old, "containers").length) {
    return [fieldForbidden("spec.containers", "pod updates may not add or remove containers")];
  }
  return isDeepStrictEqual(withoutMutable(spec), withoutMutable(old))
    ? []
    : [
        fieldForbidden(
          "spec",
          "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        ),
      ];
}

function withoutMutable(spec: unknown): unknown {
  if (!isJsonObject(spec)) return spec;
  const rest = copy(spec);
  delete rest.activeDeadlineSeconds;
  delete rest.tolerations;
  for (const container of [...listAt(rest, "initContainers"), ...listAt(rest, "containers")]) delete container.image;
  return rest;
}

/** A workload's template: its labels must be selected by the workload, its pods restart always. */
export function validateTemplate(object: JsonObject): FieldError[] {
  const errors = validatePodSpec(at(object, "spec", "template", "spec"), "spec.template.spec");
  const policy = at(object, "spec", "template", "spec", "restartPolicy");
  if (policy === "Never" || policy === "OnFailure") {
    errors.push({
      field: "spec.template.spec.restartPolicy",
      reason: "FieldValueNotSupported",
      message: `Unsupported value: "${policy}": supported values: "Always"`,
    });
  }
  return errors;
}

function duplicates(names: unknown[], path: (index: number) => string): FieldError[] {
  return names.flatMap((name, index) => (names.indexOf(name) < index ? [duplicate(path(index), name)] : []));
}

const duplicate = (field: string, name: unknown): FieldError => ({
  field,
  reason: "FieldValueDuplicate",
  message: `Duplicate value: ${JSON.stringify(name)}`,
});
