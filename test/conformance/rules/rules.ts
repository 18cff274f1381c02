// SPDX-License-Identifier: Apache-2.0
import { roundRules, strategyRules } from "./controller.ts";
import { injectRules } from "./inject.ts";
import type { Rule } from "./rule.ts";
import { defaultsRules, resourceExprRules, validationRules } from "./spec.ts";

/** What we do otherwise than Kruise on purpose, by corpus file. */
export const rules: Readonly<Record<string, readonly Rule<never, never>[]>> = {
  "defaults.jsonl": defaultsRules,
  "validate.jsonl": validationRules,
  "resource-expr.jsonl": resourceExprRules,
  "inject.jsonl": injectRules,
  "strategy.jsonl": strategyRules,
  "hot-upgrade.jsonl": roundRules,
};
