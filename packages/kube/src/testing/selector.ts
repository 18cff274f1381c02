// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from "../api.ts";

/** Whether the selectors of a list or watch match: `a=b,c!=d,e,!f,g in (h,i),j notin (k)`, fields by equality. */
export function matches(object: KubeObject, labelSelector = "", fieldSelector = ""): boolean {
  const labels = object.metadata.labels ?? {};
  return (
    requirements(labelSelector).every((requirement) => matchesLabel(labels, requirement)) &&
    requirements(fieldSelector).every((requirement) => matchesField(object, requirement))
  );
}

/** Splits at the commas outside of parentheses. */
function requirements(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((requirement) => requirement.trim())
    .filter((requirement) => requirement !== "");
}

function matchesLabel(labels: Record<string, string>, requirement: string): boolean {
  const setBased = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(requirement);
  if (setBased) {
    const [, key = "", operator, list = ""] = setBased;
    const isIn = list.split(",").some((value) => value.trim() === labels[key]);
    return isIn === (operator === "in");
  }
  const equality = /^([^!=\s]+)\s*(==?|!=)\s*(\S*)$/.exec(requirement);
  if (equality) {
    const [, key = "", operator, value] = equality;
    return (labels[key] === value) === (operator !== "!=");
  }
  return requirement.startsWith("!") ? !(requirement.slice(1).trim() in labels) : requirement in labels;
}

function matchesField(object: KubeObject, requirement: string): boolean {
  const [, path = "", operator, value] = /^([^!=]+)(==?|!=)(.*)$/.exec(requirement) ?? [];
  let found: unknown = object;
  for (const key of path.split(".")) found = (found as Record<string, unknown> | undefined)?.[key];
  const text = typeof found === "string" ? found : found === undefined ? "" : JSON.stringify(found);
  return (text === value) === (operator !== "!=");
}
