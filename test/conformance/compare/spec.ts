// SPDX-License-Identifier: Apache-2.0
import {
  ResourceExprError,
  UnhashableError,
  defaultSidecarSet,
  evaluateResourceExpr,
  hashedText,
  nanoOf,
  parseQuantity,
  selectorsOverlap,
  sidecarSetHashes,
  toV1Alpha1,
  toNano,
  toV1Beta1,
  validateSidecarSet,
  type ControllerRevision,
  type LabelSelector,
  type Quantity,
  type ResourceValue,
  type SidecarSet,
  type SidecarSetV1Alpha1,
  type ValidationInput,
} from "@hot/spec";
import { UnknownCaseError, type Case, type Comparison } from "../corpus-case.ts";
import { normalizeSidecarSet } from "./normalize.ts";
import { replayRevisions, type RevisionStep } from "./replay-revisions.ts";

type Compare = (testCase: Case) => Comparison;

const ERROR = "an error";

const hash: Compare = ({ input, expected }) => {
  const { spec } = input as SidecarSet;
  const wanted = (expected as { error?: true }).error ? ERROR : expected;
  try {
    const hashes = sidecarSetHashes({ spec });
    return { actual: { ...hashes, encoded: hashedText(spec.containers, spec.initContainers) }, wanted };
  } catch (error) {
    if (!(error instanceof UnhashableError)) throw error;
    return { actual: ERROR, wanted, ours: error.message };
  }
};

/** `actual` has what must be kept from the input, so that a change of it is a difference. */
const defaults: Compare = ({ input, expected }) => {
  const wanted = expected as { panic?: true; object?: unknown };
  const version = (input as SidecarSetV1Alpha1).apiVersion === "apps.kruise.io/v1alpha1" ? "v1alpha1" : "v1beta1";
  const before = structuredClone(input);
  const { object } = defaultSidecarSet(input, version);
  const again = defaultSidecarSet(object, version).object;
  return {
    actual: { object: normalizeSidecarSet(object), again: normalizeSidecarSet(again), input },
    wanted: {
      object: wanted.panic ? ERROR : normalizeSidecarSet(wanted.object),
      again: normalizeSidecarSet(object),
      input: before,
    },
    ours: validateSidecarSet({ operation: "CREATE", object }).errors,
  };
};

const CONVERSIONS: Readonly<Record<string, (object: never) => object>> = {
  "v1alpha1->v1beta1": toV1Beta1,
  "v1beta1->v1alpha1": toV1Alpha1,
};

const convert: Compare = ({ input, expected }) => {
  const { direction, object } = input as { direction: string; object: never };
  const before: unknown = structuredClone(object);
  const convertTo = CONVERSIONS[direction];
  if (!convertTo)
    throw new UnknownCaseError(`input.direction is ${direction}, none of ${Object.keys(CONVERSIONS).join(", ")}`);
  const converted = convertTo(object);
  return {
    actual: { object: normalizeSidecarSet(converted), input: object },
    wanted: { object: normalizeSidecarSet((expected as { object: unknown }).object), input: before },
  };
};

/** The input of a validation case, as the corpus has it. */
export interface ValidationCaseInput extends Omit<ValidationInput, "metadataRules"> {
  object: SidecarSet;
  whitelist?: string;
  gates?: { SidecarSetPatchPodMetadataDefaultsAllowed?: boolean };
}

const validate: Compare = ({ input, expected }) => {
  const { gates, whitelist, ...rest } = input as ValidationCaseInput;
  if (!["CREATE", "UPDATE"].includes(rest.operation))
    throw new UnknownCaseError(`input.operation is ${rest.operation}, neither CREATE nor UPDATE`);
  const { errors } = validateSidecarSet({
    otherSidecarSets: [],
    controllerRevisions: [],
    ...rest,
    metadataRules: { whitelist, allowedByDefault: gates?.SidecarSetPatchPodMetadataDefaultsAllowed ?? false },
  });
  const wanted = expected as { allowed?: boolean; panic?: true };
  return {
    actual: { allowed: errors.length === 0, ...(wanted.allowed && { errors }) },
    wanted: { allowed: wanted.panic ? ERROR : wanted.allowed, ...(wanted.allowed && { errors: [] }) },
    ours: errors,
  };
};

const overlap: Compare = ({ input, expected }) => {
  const { a, b } = input as { a: LabelSelector; b: LabelSelector };
  const wanted = (expected as { overlap: boolean }).overlap;
  return { actual: [selectorsOverlap(a, b), selectorsOverlap(b, a)], wanted: [wanted, wanted] };
};

/** `{"type":"quantity"}` by its exact decimal, `{"type":"number"}` by the amount that injection makes of it. */
const resourceExpr: Compare = ({ input, expected }) => {
  const { expr, bind } = input as { expr: string; bind: Record<string, string | number> };
  const wanted = expected as { error?: true; type?: string; decimal: string; asCpu: string };
  const variables = Object.entries(bind).map(([name, value]): [string, ResourceValue] => [
    name,
    typeof value === "number" ? { kind: "number", value } : { kind: "quantity", nano: nanoOfText(value) },
  ]);
  const amount = (): string => `${wanted.type} ${nanoOfText(wanted.type === "number" ? wanted.asCpu : wanted.decimal)}`;
  const result = wanted.error ? ERROR : amount();
  try {
    const value = evaluateResourceExpr(expr, Object.fromEntries(variables));
    const nano = nanoOf(value);
    return { actual: `${value.kind} ${nano}`, wanted: result, ours: nano };
  } catch (error) {
    if (!(error instanceof ResourceExprError)) throw error;
    return { actual: ERROR, wanted: result, ours: error.message };
  }
};

function nanoOfText(text: Quantity): bigint {
  const quantity = parseQuantity(text);
  const nano = quantity && toNano(quantity);
  if (nano === undefined) throw new Error(`${text} is no quantity`);
  return nano;
}

const revision: Compare = ({ input, expected }) => {
  const { existingRevisions = [], steps } = input as {
    existingRevisions?: ControllerRevision[];
    steps: RevisionStep[];
  };
  return { actual: { steps: replayRevisions(existingRevisions, steps) }, wanted: expected };
};

/** The corpus files about @hot/spec. */
export const specComparisons: Readonly<Record<string, Compare>> = {
  "hash.jsonl": hash,
  "defaults.jsonl": defaults,
  "convert.jsonl": convert,
  "validate.jsonl": validate,
  "selector-overlap.jsonl": overlap,
  "resource-expr.jsonl": resourceExpr,
  "revision.jsonl": revision,
};
