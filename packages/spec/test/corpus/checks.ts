// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
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
} from "../../src/index.ts";
import { normalizeSidecarSet } from "./normalize.ts";
import { replayRevisions, type RevisionStep } from "./replay-revisions.ts";

/** One line of a corpus file. */
export interface Case {
  name: string;
  quirk?: string;
  input: unknown;
  expected: unknown;
}

/** Undefined when the case passes, else what differs. */
export type Check = (testCase: Case) => string | undefined;

function difference(actual: unknown, expected: unknown): string | undefined {
  return isDeepStrictEqual(actual, expected)
    ? undefined
    : `got ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`;
}

const hash: Check = ({ input, expected }) => {
  const { spec } = input as SidecarSet;
  const wanted = expected as { error?: true; hash?: string; hashWithoutImage?: string; encoded?: string };
  try {
    const hashes = sidecarSetHashes({ spec });
    return difference({ ...hashes, encoded: hashedText(spec.containers, spec.initContainers) }, wanted);
  } catch (error) {
    if (!(error instanceof UnhashableError)) throw error;
    return wanted.error ? undefined : error.message;
  }
};

const defaults: Check = ({ input, expected }) => {
  const wanted = expected as { panic?: true; object?: unknown };
  const version = (input as SidecarSetV1Alpha1).apiVersion === "apps.kruise.io/v1alpha1" ? "v1alpha1" : "v1beta1";
  const before = structuredClone(input);
  const { object } = defaultSidecarSet(input, version);
  if (!isDeepStrictEqual(input, before)) return "the input was changed";
  if (!isDeepStrictEqual(defaultSidecarSet(object, version).object, object)) return "a second pass changes something";
  if (wanted.panic) return "upstream panics";
  return difference(normalizeSidecarSet(object), normalizeSidecarSet(wanted.object));
};

const convert: Check = ({ input, expected }) => {
  const { direction, object } = input as { direction: string; object: never };
  const before = structuredClone(object);
  const converted = direction === "v1alpha1->v1beta1" ? toV1Beta1(object) : toV1Alpha1(object);
  if (!isDeepStrictEqual(object, before)) return "the input was changed";
  return difference(normalizeSidecarSet(converted), normalizeSidecarSet((expected as { object: unknown }).object));
};

const validate: Check = ({ input, expected }) => {
  const { gates, whitelist, ...rest } = input as {
    operation: "CREATE" | "UPDATE";
    object: unknown;
    oldObject?: unknown;
    otherSidecarSets?: SidecarSet[];
    controllerRevisions?: ControllerRevision[];
    whitelist?: string;
    gates: { SidecarSetPatchPodMetadataDefaultsAllowed: boolean };
  };
  const { errors } = validateSidecarSet({
    otherSidecarSets: [],
    controllerRevisions: [],
    ...rest,
    metadataRules: { whitelist, allowedByDefault: gates.SidecarSetPatchPodMetadataDefaultsAllowed },
  });
  const allowed = errors.length === 0;
  return (expected as { allowed?: boolean }).allowed === allowed
    ? undefined
    : `got allowed ${allowed} ${JSON.stringify(errors)}, expected ${JSON.stringify(expected)}`;
};

const overlap: Check = ({ input, expected }) => {
  const { a, b } = input as { a: LabelSelector; b: LabelSelector };
  const wanted = (expected as { overlap: boolean }).overlap;
  return difference([selectorsOverlap(a, b), selectorsOverlap(b, a)], [wanted, wanted]);
};

/** `{"type":"quantity"}` by its exact decimal, `{"type":"number"}` by the amount that injection makes of it. */
const resourceExpr: Check = ({ input, expected }) => {
  const { expr, bind } = input as { expr: string; bind: Record<string, string | number> };
  const wanted = expected as { error?: true; type?: string; decimal: string; asCpu: string };
  const variables = Object.entries(bind).map(([name, value]): [string, ResourceValue] => [
    name,
    typeof value === "number" ? { kind: "number", value } : { kind: "quantity", nano: nanoOfText(value) },
  ]);
  try {
    const value = evaluateResourceExpr(expr, Object.fromEntries(variables));
    const nano = nanoOfText(wanted.type === "number" ? wanted.asCpu : (wanted.decimal ?? "-1"));
    return difference([value.kind, `${nanoOf(value)}`], wanted.error ? "an error" : [wanted.type, `${nano}`]);
  } catch (error) {
    if (!(error instanceof ResourceExprError)) throw error;
    return wanted.error ? undefined : error.message;
  }
};

function nanoOfText(text: Quantity): bigint {
  const quantity = parseQuantity(text);
  const nano = quantity && toNano(quantity);
  if (nano === undefined) throw new Error(`${text} is no quantity`);
  return nano;
}

const revision: Check = ({ input, expected }) => {
  const { existingRevisions = [], steps } = input as {
    existingRevisions?: ControllerRevision[];
    steps: RevisionStep[];
  };
  return difference({ steps: replayRevisions(existingRevisions, steps) }, expected);
};

/** The corpus files that belong to this package. */
export const checks: Readonly<Record<string, Check>> = {
  "hash.jsonl": hash,
  "defaults.jsonl": defaults,
  "convert.jsonl": convert,
  "validate.jsonl": validate,
  "selector-overlap.jsonl": overlap,
  "resource-expr.jsonl": resourceExpr,
  "revision.jsonl": revision,
};

/** Quirks of these files must be copied for bit compatibility. */
export const strictFiles: ReadonlySet<string> = new Set(["hash.jsonl"]);
