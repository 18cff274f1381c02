// SPDX-License-Identifier: Apache-2.0
import { fieldError, type FieldErrors } from "../field-error.ts";
import type { SidecarSet } from "../sidecar-set.ts";

/** What can't change, because running pods keep the containers with which they were created. */
export function* validateUpdate(object: SidecarSet, old: SidecarSet): FieldErrors {
  const before = new Map((old.spec.containers ?? []).map((container) => [container.name, container]));
  for (const [index, container] of (object.spec.containers ?? []).entries()) {
    const path = `spec.containers[${index}]`;
    const previous = before.get(container.name);
    if (!previous) {
      yield fieldError("ContainerAdded", "FieldValueInvalid", `${path}.name`, container.name);
      continue;
    }
    const type = container.upgradeStrategy?.upgradeType;
    const previousType = previous.upgradeStrategy?.upgradeType;
    if (previousType && type !== previousType)
      yield fieldError(
        "FieldImmutable",
        "FieldValueInvalid",
        `${path}.upgradeStrategy.upgradeType`,
        type,
        `It can't change from ${previousType}.`,
      );
  }
}
