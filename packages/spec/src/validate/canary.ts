// SPDX-License-Identifier: Apache-2.0
import { fieldError, type FieldErrors } from "../field-error.ts";
import { BASE_ANNOTATION, CANARY_ANNOTATION } from "../names.ts";
import type { SidecarSet } from "../sidecar-set.ts";

/** The base of a canary SidecarSet; undefined when it is none. */
export function canaryBase({ metadata }: SidecarSet): string | undefined {
  const base = metadata.annotations?.[BASE_ANNOTATION];
  return metadata.annotations?.[CANARY_ANNOTATION] === "true" && base ? base : undefined;
}

export function* validateCanary(
  object: SidecarSet,
  old: SidecarSet | undefined,
  others: readonly SidecarSet[] | undefined,
): FieldErrors {
  const base = canaryBase(object);
  if (base === undefined) return;
  const field = `metadata.annotations[${BASE_ANNOTATION}]`;
  const error = (reason: string) => fieldError("CanaryInvalid", "FieldValueInvalid", field, base, reason);
  if (base === object.metadata.name) yield error("A canary can't be its own base.");
  if (old && old.metadata.annotations?.[BASE_ANNOTATION] !== base) yield error("The base of a canary can't change.");
  const target = others?.find((other) => other.metadata.name === base);
  if (others && !target) yield error("There is no SidecarSet of this name.");
  if (target && canaryBase(target) !== undefined) yield error("The base is a canary itself.");
  if (object.spec.updateStrategy?.type !== "NotUpdate")
    yield fieldError(
      "CanaryInvalid",
      "FieldValueInvalid",
      "spec.updateStrategy.type",
      object.spec.updateStrategy?.type,
      "A canary must have NotUpdate.",
    );
}
