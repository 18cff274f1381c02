// SPDX-License-Identifier: Apache-2.0
import { canaryBase, type FieldError } from "@hot/spec";
import type { ValidationCaseInput } from "../compare/spec.ts";
import type { Case } from "../corpus-case.ts";
import type { Rule } from "./rule.ts";

export const defaultsRules: Rule<Case, FieldError[]>[] = [
  {
    id: "transfer-env-without-field-ref",
    holds: ({ expected }, { ours }) =>
      (expected as { panic?: true }).panic === true &&
      ours.some(({ field }) => field.endsWith("FieldRef") || field.endsWith("fieldRef")),
  },
];

type ValidationCase = Case<ValidationCaseInput, { allowed?: boolean; panic?: true; errors?: { field: string }[] }>;

/** Refused here and accepted by Kruise: every fault must be one of this kind. */
function refused(
  id: string,
  isOne: (error: FieldError, input: ValidationCaseInput) => boolean,
): Rule<ValidationCase, FieldError[]> {
  return {
    id,
    holds: ({ input, expected }, { ours }) =>
      expected.allowed === true && ours.length > 0 && ours.every((error) => isOne(error, input)),
  };
}

/** Accepted here, and refused by Kruise for this reason. */
function accepted(id: string, isOne: (one: ValidationCase) => boolean): Rule<ValidationCase, FieldError[]> {
  return { id, holds: (one, { ours }) => one.expected.allowed !== true && ours.length === 0 && isOne(one) };
}

const ENUMS = /\.(podInjectPolicy|upgradeType|patchPolicy|type|targetContainersMode)$/;

export const validationRules: Rule<ValidationCase, FieldError[]>[] = [
  refused("unknown-enum-values", ({ code, field }) => code === "HOT3004" && ENUMS.test(field)),
  refused("version-env", ({ code }) => code === "HOT3205"),
  refused("empty-image", ({ code }) => code === "HOT3201" || code === "HOT3202"),
  refused("native-hot", ({ code }) => code === "HOT3206"),
  refused("pair-names", ({ code }) => code === "HOT3203" || code === "HOT3204" || code === "HOT3403"),
  refused("expression-without-value", ({ code }) => code === "HOT3105"),
  refused(
    "transfer-env-of-init-containers",
    ({ code, field }) => code === "HOT3106" && field.includes("initContainers"),
  ),
  refused("percentages", ({ code }) => code === "HOT3302"),
  accepted(
    "startup-probe-defaults",
    ({ expected }) =>
      (expected.errors?.length ?? 0) > 0 &&
      expected.errors?.every(({ field }) => field.includes("startupProbe")) === true,
  ),
  accepted(
    "negative-at-one",
    ({ expected }) =>
      (expected.errors?.length ?? 0) > 0 &&
      expected.errors?.every(({ field }) => field.includes("resourcesPolicy")) === true,
  ),
  accepted(
    "init-container-named-test",
    ({ input }) =>
      !input.object.spec.containers?.length &&
      input.object.spec.initContainers?.some(({ name }) => name === "test") === true,
  ),
  accepted(
    "base-and-canary",
    ({ input }) => input.otherSidecarSets?.some((other) => canaryBase(other) === input.object.metadata.name) === true,
  ),
  accepted(
    "other-without-selector",
    ({ input }) => input.otherSidecarSets?.some(({ spec }) => !spec.selector) === true,
  ),
];

type ExprCase = Case<{ expr: string; bind: Record<string, string | number> }>;
const MOST = 2n ** 63n;
/** Kruise calculates in 64-bit integers of milli-units; here an amount is whole nano-units without a bound. */
const NANO_PER_MILLI = 10n ** 6n;
const BINARY: Record<string, bigint> = { Ti: 2n ** 40n, Pi: 2n ** 50n, Ei: 2n ** 60n };

export const resourceExprRules: Rule<ExprCase, string | bigint>[] = [
  {
    id: "bad-number",
    holds: ({ input }, { ours }) =>
      typeof ours === "string" && /[0-9.][A-Za-z%][^\s*/+()-]*|[0-9]e[+-]?(?![0-9])/.test(input.expr),
  },
  { id: "nul-byte", holds: ({ input }, { ours }) => typeof ours === "string" && input.expr.includes("\0") },
  {
    id: "overflow",
    holds: ({ input, expected }, { ours }) => {
      if (typeof ours === "string") return ours.includes("too large") && (expected as { error?: true }).error !== true;
      const bound = Object.values(input.bind).map((value) => {
        const [, digits = "0", unit = ""] = /^(\d+)(Ti|Pi|Ei)?$/.exec(String(value)) ?? [];
        return BigInt(digits) * (BINARY[unit] ?? 1n) * 1000n;
      });
      return [ours / NANO_PER_MILLI, ...bound].some((milli) => milli >= MOST);
    },
  },
];
