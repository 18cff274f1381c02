// SPDX-License-Identifier: Apache-2.0
import type { LabelSelector } from "@hot/spec";

export class SelectorError extends Error {
  override readonly name = "SelectorError";
}

export function matchesSelector(selector: LabelSelector, labels: Record<string, string>): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels[key] !== value) return false;
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const has = Object.hasOwn(labels, key);
    if (operator === "Exists") return has;
    if (operator === "DoesNotExist") return !has;
    if (operator === "In" && values.length > 0) return has && values.includes(labels[key] ?? "");
    if (operator === "NotIn" && values.length > 0) return !has || !values.includes(labels[key] ?? "");
    throw new SelectorError(`${key} ${operator} can't be evaluated`);
  });
}
