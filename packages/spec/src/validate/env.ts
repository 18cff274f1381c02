// SPDX-License-Identifier: Apache-2.0
import type { Container, EnvVarSource } from "../container.ts";
import { invalid, required, type FieldErrors } from "../field-error.ts";
import { validateFieldRef, validateResourceFieldRef } from "./field-ref.ts";

const ENV_NAME = /^[ -<>-~]+$/;
/** No file outside of its directory: neither `.` nor a name that begins with two dots. */
const KEY = /^(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}$/;

export function* validateEnv(container: Container, path: string): FieldErrors {
  for (const [index, { name, value, valueFrom }] of (container.env ?? []).entries()) {
    const at = `${path}.env[${index}]`;
    if (!name) yield required(`${at}.name`);
    else if (!ENV_NAME.test(name)) yield invalid(`${at}.name`, name, "It must be printable ASCII without '='.");
    if (!valueFrom) continue;
    if (value) yield invalid(`${at}.valueFrom`, valueFrom, "It can't be set beside a value.", "Remove one of the two.");
    else yield* validateEnvSource(valueFrom, `${at}.valueFrom`);
  }
  for (const [index, { prefix, configMapRef, secretRef }] of (container.envFrom ?? []).entries()) {
    const at = `${path}.envFrom[${index}]`;
    if (prefix && !ENV_NAME.test(prefix))
      yield invalid(`${at}.prefix`, prefix, "It must be printable ASCII without '='.");
    if (configMapRef && !configMapRef.name) yield required(`${at}.configMapRef.name`);
    if (secretRef && !secretRef.name) yield required(`${at}.secretRef.name`);
    if (!configMapRef === !secretRef)
      yield invalid(
        `${path}.envFrom`,
        { configMapRef, secretRef },
        "Each entry needs exactly one of configMapRef and secretRef.",
      );
  }
}

function* validateEnvSource(source: EnvVarSource, at: string): FieldErrors {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = source;
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef].filter(Boolean).length;
  if (count !== 1)
    yield invalid(
      at,
      source,
      `It needs exactly one source and has ${count}.`,
      "Set one of fieldRef, resourceFieldRef, configMapKeyRef and secretKeyRef.",
    );
  if (fieldRef) yield* validateFieldRef(fieldRef, "env", `${at}.fieldRef`);
  if (resourceFieldRef) yield* validateResourceFieldRef(resourceFieldRef, `${at}.resourceFieldRef`);
  for (const [name, reference] of Object.entries({ configMapKeyRef, secretKeyRef })) {
    if (!reference) continue;
    if (!reference.name) yield required(`${at}.${name}.name`);
    if (!reference.key) yield required(`${at}.${name}.key`);
    else if (!KEY.test(reference.key))
      yield invalid(
        `${at}.${name}.key`,
        reference.key,
        "It must have letters, digits, '-', '_' and '.', and not begin with '..'.",
      );
  }
}
