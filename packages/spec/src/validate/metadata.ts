// SPDX-License-Identifier: Apache-2.0
import { fieldError, forbidden, invalid, required, type FieldErrors } from "../field-error.ts";
import { labelValueProblem, qualifiedNameProblem } from "../label-name.ts";
import type { ObjectMeta } from "../object-meta.ts";

const MAX_ANNOTATIONS_BYTES = 256 * 1024;
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
  const bytes = Object.entries(annotations ?? {}).reduce((sum, pair) => sum + utf8Length(pair.join("")), 0);
  if (bytes > MAX_ANNOTATIONS_BYTES)
    yield fieldError(
      "FieldTooLong",
      "FieldValueTooLong",
      "metadata.annotations",
      undefined,
      `Keys and values have ${bytes} bytes; the most is ${MAX_ANNOTATIONS_BYTES}.`,
    );
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
