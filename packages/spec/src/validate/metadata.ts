// SPDX-License-Identifier: Apache-2.0
import { forbidden, invalid, required, type FieldErrors } from "../field-error.ts";
import { labelValueProblem, qualifiedNameProblem } from "../label-name.ts";
import type { ObjectMeta } from "../object-meta.ts";

const NAME = /^[a-zA-Z0-9-]+$/;

/** The SidecarSet's own name is part of label values and revision names, so it has no dots and at most 63 characters. */
export function* validateMetadata({ name, generateName, namespace, labels, annotations }: ObjectMeta): FieldErrors {
  if (name === undefined || name === "") {
    if (!generateName) yield required("metadata.name");
  } else if (!NAME.test(name) || name.length > 63) {
    yield invalid("metadata.name", name, "It must have 1 to 63 letters, digits and '-'.");
  }
  if (namespace)
    yield forbidden("metadata.namespace", namespace, "A SidecarSet belongs to the cluster, not to a namespace.");
  for (const [key, value] of Object.entries(labels ?? {})) {
    const problem = qualifiedNameProblem(key) ?? labelValueProblem(value);
    if (problem !== undefined) yield invalid("metadata.labels", { [key]: value }, `The label ${problem}.`);
  }
  for (const key of Object.keys(annotations ?? {})) {
    const problem = qualifiedNameProblem(key.toLowerCase());
    if (problem !== undefined) yield invalid("metadata.annotations", key, `The key ${problem}.`);
  }
}
