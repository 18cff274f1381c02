// SPDX-License-Identifier: Apache-2.0
import { isRaw, type Raw } from "../defaults/raw.ts";
import { duplicate, fieldError, invalid, notSupported, required, type FieldErrors } from "../field-error.ts";
import { qualifiedNameProblem } from "../label-name.ts";
import { matchesSelector, selectorErrors } from "../label-selector.ts";
import type { LabelSelector } from "../object-meta.ts";
import { compileRe2, type Re2 } from "../re2.ts";
import { checkAgainstSchema } from "../schema-check.ts";
import { labelSelectorSchema } from "../sidecar-set-schema.ts";
import type { SidecarSet } from "../sidecar-set.ts";

const PATH = "spec.patchPodMetadata";
const CORRECT =
  "Correct the key SidecarSet_PatchPodMetadata_WhiteList of the ConfigMap kruise-configuration in the namespace of this program.";
/** Longer ones are no names, and no expression reads them. */
const MAX_KEY = 253 + 1 + 63;
const POLICIES = ["Retain", "Overwrite", "MergePatchJson"];

/** Which annotations a SidecarSet may set on pods. */
export interface MetadataRules {
  /** Text of the key `SidecarSet_PatchPodMetadata_WhiteList`; absent when there is none. */
  whitelist?: string | undefined;
  /** Whether everything is allowed when no rule applies (a feature gate, off by default). */
  allowedByDefault?: boolean;
}

export function* validatePatchMetadata({ metadata, spec }: SidecarSet, rules: MetadataRules): FieldErrors {
  const keys = new Set<string>();
  const allowed = allowedKeys(rules, metadata.labels, spec.patchPodMetadata ?? []);
  for (const [index, { annotations = {}, patchPolicy }] of (spec.patchPodMetadata ?? []).entries()) {
    const at = `${PATH}[${index}]`;
    if (!patchPolicy) yield required(`${at}.patchPolicy`);
    else if (!POLICIES.includes(patchPolicy)) yield notSupported(`${at}.patchPolicy`, patchPolicy, POLICIES);
    if (Object.keys(annotations).length === 0) yield required(`${at}.annotations`);
    for (const key of Object.keys(annotations)) {
      const problem = qualifiedNameProblem(key.toLowerCase());
      if (problem !== undefined) yield invalid(`${at}.annotations`, key, `The key ${problem}.`);
      else if (typeof allowed === "string")
        yield fieldError("MetadataNotAllowed", "FieldValueForbidden", `${at}.annotations`, key, allowed, CORRECT);
      else if (!allowed(key)) yield fieldError("MetadataNotAllowed", "FieldValueForbidden", `${at}.annotations`, key);
      if (keys.has(key)) yield duplicate(`${at}.annotations`, key);
      keys.add(key);
    }
  }
}

/** Of steps that match, some 150 ms. A hundred keys of 30 characters leave 1,000 to all expressions together. */
const MAX_STEPS = 3_000_000;
const UNREADABLE = "The whitelist is not the JSON of an object with rules.";

/** Which keys are allowed; a sentence where the whitelist can't be read, which then allows nothing. */
function allowedKeys(
  rules: MetadataRules,
  labels: Record<string, string> | undefined,
  patches: NonNullable<SidecarSet["spec"]["patchPodMetadata"]>,
): ((key: string) => boolean) | string {
  const byDefault = (): boolean => rules.allowedByDefault ?? false;
  const keys = patches.flatMap(({ annotations = {} }) => Object.keys(annotations));
  if (keys.length === 0) return byDefault;
  if (rules.whitelist === undefined) return byDefault;
  const parsed = parseWhitelist(rules.whitelist);
  if (!parsed) return UNREADABLE;
  const expressions: Re2[] = [];
  const characters = keys.reduce((sum, key) => sum + Math.min(key.length, MAX_KEY), 0);
  let steps = 0;
  for (const { selector, allowedAnnotationKeyExprs } of parsed) {
    if (selector !== undefined && selector !== null) {
      if (!isLabelSelector(selector)) return "A selector of the whitelist can't be evaluated.";
      if (!matchesSelector(selector, labels)) continue;
    }
    for (const expression of isStrings(allowedAnnotationKeyExprs) ? allowedAnnotationKeyExprs : []) {
      const compiled = compileRe2(expression);
      if ("problem" in compiled)
        return `The expression ${JSON.stringify(expression.slice(0, 80))} of the whitelist ${compiled.problem}.`;
      expressions.push(compiled.regex);
      steps += compiled.regex.steps;
      if (characters * steps > MAX_STEPS) return "The expressions of the whitelist are too large for so many keys.";
    }
  }
  return expressions.length === 0 ? byDefault : (key) => expressions.some((expression) => expression.test(key));
}

function isLabelSelector(value: unknown): value is LabelSelector {
  const wrong = !isRaw(value) || checkAgainstSchema(labelSelectorSchema, value, "").typeErrors.length > 0;
  return !wrong && selectorErrors(value).length === 0;
}

/** The rules; undefined where the text is not JSON, or something in it is not of the type that Kruise reads. */
function parseWhitelist(text: string): Raw[] | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    const rules = isRaw(value) ? (value["rules"] ?? []) : undefined;
    const isRule = (rule: unknown): boolean => isRaw(rule) && isStrings(rule["allowedAnnotationKeyExprs"] ?? []);
    return Array.isArray(rules) && rules.every(isRule) ? (rules as Raw[]) : undefined;
  } catch {
    return undefined;
  }
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
