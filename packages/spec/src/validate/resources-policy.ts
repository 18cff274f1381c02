// SPDX-License-Identifier: Apache-2.0
import { fieldError, invalid, notSupported, required, type FieldErrors } from "../field-error.ts";
import { compileRe2 } from "../re2.ts";
import type { SidecarContainer } from "../sidecar-set.ts";
import { resourceExpressionProblem } from "./resource-expression.ts";

const MODES = ["sum", "max"];

export function* validateResourcesPolicy(
  { resourcesPolicy: policy, resources }: SidecarContainer,
  kind: "container" | "native" | "init",
  path: string,
): FieldErrors {
  if (!policy) return;
  const at = `${path}.resourcesPolicy`;
  const error = (field: string, value: unknown, reason: string) =>
    fieldError("ResourcesPolicyInvalid", "FieldValueInvalid", field, value, reason);
  if (Object.keys({ ...resources?.limits, ...resources?.requests }).length > 0)
    yield error(at, policy, "It can't be set beside resources.limits or resources.requests.");
  if (kind === "init")
    yield error(at, policy, "An init container without restartPolicy Always has no resourcesPolicy.");
  if (!MODES.includes(policy.targetContainersMode))
    yield notSupported(`${at}.targetContainersMode`, policy.targetContainersMode, MODES);
  const regex = policy.targetContainersNameRegex;
  if (!regex) {
    yield required(`${at}.targetContainersNameRegex`);
  } else {
    const compiled = compileRe2(regex);
    if ("problem" in compiled) yield invalid(`${at}.targetContainersNameRegex`, regex, `It ${compiled.problem}.`);
  }
  if (!policy.resourcesExpr?.limits && !policy.resourcesExpr?.requests)
    yield error(`${at}.resourcesExpr`, policy.resourcesExpr, "It has neither limits nor requests.");
  for (const list of ["limits", "requests"] as const) {
    for (const resource of ["cpu", "memory"] as const) {
      const expression = policy.resourcesExpr?.[list]?.[resource];
      const problem = expression ? resourceExpressionProblem(String(expression), resource) : undefined;
      if (problem !== undefined) yield error(`${at}.resourcesExpr.${list}.${resource}`, expression, `It ${problem}.`);
    }
  }
}
