// SPDX-License-Identifier: Apache-2.0
import { labelValueProblem, qualifiedNameProblem } from "./label-name.ts";
import type { LabelSelector, LabelSelectorRequirement } from "./object-meta.ts";

export type Labels = Readonly<Record<string, string>>;

/** One term that can't be evaluated; `path` is relative to the selector: `matchExpressions[0].operator`. */
export interface SelectorError {
  readonly path: string;
  readonly value: unknown;
  readonly type: "Required" | "Invalid" | "Forbidden" | "NotSupported";
  readonly reason: string;
}

/**
 * Whether a selector has no term. Kubernetes lets such a selector match everything; as `spec.selector` of a
 * SidecarSet it must match nothing, which its readers check with this function.
 */
export function selectorIsEmpty(selector: LabelSelector | null | undefined): boolean {
  if (!selector) return true;
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}

/**
 * Evaluates a selector as Kubernetes does: absent matches nothing, empty matches everything.
 * A selector with {@link selectorErrors} matches nothing.
 */
export function matchesSelector(selector: LabelSelector | null | undefined, labels: Labels | undefined): boolean {
  if (!selector || selectorErrors(selector).length > 0) return false;
  return matchesValidSelector(selector, labels);
}

/** As {@link matchesSelector}, for a selector that is known to have no {@link selectorErrors}. */
export function matchesValidSelector(selector: LabelSelector, labels: Labels | undefined): boolean {
  const value = (key: string): string | undefined => (labels && Object.hasOwn(labels, key) ? labels[key] : undefined);
  for (const [key, wanted] of Object.entries(selector.matchLabels ?? {})) if (value(key) !== wanted) return false;
  return (selector.matchExpressions ?? []).every((term) => matchesTerm(term, value(term.key)));
}

/** Whether a label with this value, or its absence, fulfils a term. */
function matchesTerm({ operator, values = [] }: LabelSelectorRequirement, label: string | undefined): boolean {
  switch (operator) {
    case "In":
      return label !== undefined && values.includes(label);
    case "NotIn":
      return label === undefined || !values.includes(label);
    case "Exists":
      return label !== undefined;
    case "DoesNotExist":
      return label === undefined;
    default:
      return false;
  }
}

/** Every term that can't be evaluated; empty for a valid selector. */
export function selectorErrors(selector: LabelSelector): SelectorError[] {
  const errors: SelectorError[] = [];
  const invalid = (path: string, value: unknown, reason: string | undefined): void => {
    if (reason !== undefined) errors.push({ path, value, type: "Invalid", reason });
  };
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    invalid("matchLabels", key, qualifiedNameProblem(key));
    invalid("matchLabels", value, typeof value === "string" ? labelValueProblem(value) : "must be a string");
  }
  for (const [index, term] of (selector.matchExpressions ?? []).entries()) {
    const path = `matchExpressions[${index}]`;
    errors.push(...termErrors(term ?? { key: "", operator: "" }, path));
  }
  return errors;
}

function termErrors(term: LabelSelectorRequirement, path: string): SelectorError[] {
  const errors: SelectorError[] = [];
  const { key, operator, values } = term;
  const count = values?.length ?? 0;
  switch (operator) {
    case "In":
    case "NotIn":
      if (count === 0)
        errors.push({
          path: `${path}.values`,
          value: values,
          type: "Required",
          reason: `${operator} needs at least one value`,
        });
      break;
    case "Exists":
    case "DoesNotExist":
      if (count > 0)
        errors.push({
          path: `${path}.values`,
          value: values,
          type: "Forbidden",
          reason: `${operator} takes no values`,
        });
      break;
    default:
      errors.push({
        path: `${path}.operator`,
        value: operator,
        type: "Invalid",
        reason: "must be In, NotIn, Exists or DoesNotExist",
      });
  }
  const problem = typeof key === "string" ? qualifiedNameProblem(key) : "must be a string";
  if (problem !== undefined) errors.push({ path: `${path}.key`, value: key, type: "Invalid", reason: problem });
  for (const [index, value] of (values ?? []).entries()) {
    const reason = typeof value === "string" ? labelValueProblem(value) : "must be a string";
    if (reason !== undefined) errors.push({ path: `${path}.values[${index}]`, value, type: "Invalid", reason });
  }
  return errors;
}
