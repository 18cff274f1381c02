// SPDX-License-Identifier: Apache-2.0
import { fieldError, required, type FieldErrorType, type FieldErrors } from "../field-error.ts";
import { selectorErrors, selectorIsEmpty, type SelectorError } from "../label-selector.ts";
import type { LabelSelector } from "../object-meta.ts";
import type { SidecarSetSpec } from "../sidecar-set.ts";

const TYPES: Record<SelectorError["type"], FieldErrorType> = {
  Required: "FieldValueRequired",
  Invalid: "FieldValueInvalid",
  Forbidden: "FieldValueForbidden",
  NotSupported: "FieldValueNotSupported",
};

/** A selector that can be evaluated and is not empty. */
export function* validateSelector(selector: LabelSelector, path: string): FieldErrors {
  if (selectorIsEmpty(selector))
    yield fieldError("SelectorMissing", "FieldValueInvalid", path, selector, undefined, `Set ${path}.matchLabels.`);
  for (const { path: term, value, type, reason } of selectorErrors(selector))
    yield fieldError("SelectorMalformed", TYPES[type], `${path}.${term}`, value, `It ${reason}.`);
}

export function* validateSelectors({ selector, namespaceSelector }: SidecarSetSpec): FieldErrors {
  if (selector) yield* validateSelector(selector, "spec.selector");
  else
    yield required(
      "spec.selector",
      "Without a selector the SidecarSet selects no pod.",
      "Set spec.selector.matchLabels.",
    );
  if (namespaceSelector) yield* validateSelector(namespaceSelector, "spec.namespaceSelector");
}
