// SPDX-License-Identifier: Apache-2.0
import { toV1Beta1 } from "./convert.ts";
import { isRaw, type Raw } from "./defaults/raw.ts";
import { MAX_FINDINGS, extentProblem, type ExtentProblem } from "./extent.ts";
import { fieldError, type FieldError, type FieldErrors } from "./field-error.ts";
import type { ControllerRevision, SidecarSet, SidecarSetV1Alpha1 } from "./sidecar-set.ts";
import { inKeyOrder } from "./validate/canonical-text.ts";
import { validateCanary } from "./validate/canary.ts";
import { validateConflicts } from "./validate/conflicts.ts";
import { validateContainers } from "./validate/container.ts";
import { validateHotContainers } from "./validate/hot-upgrade.ts";
import { validateInjectionStrategy } from "./validate/injection-strategy.ts";
import { validateMetadata } from "./validate/metadata.ts";
import { validatePatchMetadata, type MetadataRules } from "./validate/patch-metadata.ts";
import { validateSelectors } from "./validate/selector.ts";
import { validateUpdate } from "./validate/update.ts";
import { validateUpdateStrategy } from "./validate/update-strategy.ts";
import { validateVolumes } from "./validate/volume.ts";
import { validationWarnings } from "./validate/warnings.ts";
import { validateTypes } from "./validate/well-formed.ts";
import { withoutNulls } from "./without-nulls.ts";

export interface ValidationInput {
  operation: "CREATE" | "UPDATE";
  /** As it arrives at the validating webhook: defaulted, in either version. */
  object: unknown;
  oldObject?: unknown;
  /** All SidecarSets of the cluster; absent: neither conflicts nor the base of a canary are checked. */
  otherSidecarSets?: readonly SidecarSet[];
  /** ControllerRevisions of the system namespace; absent: the revision to inject is not looked up. */
  controllerRevisions?: readonly ControllerRevision[];
  metadataRules?: MetadataRules;
}

export interface ValidationResult {
  /**
   * All faults (of more than 1,000 the first ones), by rule and then by place, whatever the order of keys; empty when the
   * object is accepted.
   */
  errors: FieldError[];
  /** Lines for the admission response. */
  warnings: string[];
}

/**
 * Validates a SidecarSet. All faults are returned at once; only an object without wrong JSON types is judged by the
 * other rules, and only one without faults is compared with other SidecarSets. The input is not changed. It does not
 * throw, whatever JSON the objects are: a malformed `oldObject` forbids no change, a malformed other SidecarSet selects
 * nothing, and of an object beyond every measure nothing but that is judged.
 */
export function validateSidecarSet(input: ValidationInput): ValidationResult {
  const { operation } = input;
  const excess = extentProblem(input.object);
  if (excess) return { errors: [tooLarge(excess)], warnings: [] };
  const raw = isRaw(input.object) ? (inKeyOrder(input.object) as Raw) : {};
  const malformed = first(validateTypes(raw, versionOf(raw)));
  if (malformed.length > 0) return { errors: malformed, warnings: [] };

  const submitted = withoutNulls(raw) as unknown as SidecarSet | SidecarSetV1Alpha1;
  const object = stored(submitted);
  const old = operation === "UPDATE" ? readStored(input.oldObject) : undefined;
  const others = input.otherSidecarSets?.flatMap((other) => readStored(other) ?? []);
  const errors = first(rules(object, old, { ...input, ...(others && { otherSidecarSets: others }) }));
  if (errors.length === 0 && others) errors.push(...first(validateConflicts(object, others)));
  return { errors, warnings: validationWarnings(object, submitted, old, others).slice(0, MAX_FINDINGS) };
}

function tooLarge({ path, problem }: ExtentProblem): FieldError {
  return fieldError("FieldTooLong", "FieldValueTooLong", path, undefined, `It ${problem}.`);
}

function first(errors: FieldErrors): FieldError[] {
  const found: FieldError[] = [];
  for (const error of errors) if (found.push(error) >= MAX_FINDINGS) break;
  return found;
}

function versionOf(raw: Raw): "v1alpha1" | "v1beta1" {
  return raw["apiVersion"] === "apps.kruise.io/v1alpha1" ? "v1alpha1" : "v1beta1";
}

/** An object that is malformed itself counts as none. */
function readStored(value: unknown): SidecarSet | undefined {
  if (!isRaw(value) || extentProblem(value) || !validateTypes(value, versionOf(value)).next().done) return undefined;
  return stored(withoutNulls(value) as unknown as SidecarSet | SidecarSetV1Alpha1);
}

function stored(object: SidecarSet | SidecarSetV1Alpha1): SidecarSet {
  return object.apiVersion === "apps.kruise.io/v1alpha1" ? toV1Beta1(object) : (object as SidecarSet);
}

function* rules(object: SidecarSet, old: SidecarSet | undefined, input: ValidationInput): FieldErrors {
  const { spec } = object;
  yield* validateMetadata(object.metadata);
  yield* validateCanary(object, old, input.otherSidecarSets);
  yield* validateSelectors(spec);
  yield* validateContainers(spec);
  yield* validateHotContainers(spec);
  yield* validateVolumes(spec.volumes ?? []);
  yield* validateUpdateStrategy(spec);
  yield* validateInjectionStrategy(object, input.controllerRevisions);
  yield* validatePatchMetadata(object, input.metadataRules ?? {});
  if (old) yield* validateUpdate(object, old);
}
