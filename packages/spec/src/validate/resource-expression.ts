// SPDX-License-Identifier: Apache-2.0
import { parseResourceExpr, ResourceExprError, type ResourceExpr } from "../resource-expr/parse.ts";

/** What an expression yields; the number is NaN where it depends on the pod. */
interface Value {
  kind: "quantity" | "number";
  value: number;
}

/**
 * Says why an expression of resourcesPolicy fails for every pod, or undefined when it can succeed. It is checked by
 * type, with the field's own variable as a quantity; only a result that is negative whatever the pod is refused.
 *
 * @param variable the only name that the field may use: its own resource
 */
export function resourceExpressionProblem(text: string, variable: "cpu" | "memory"): string | undefined {
  try {
    const result = check(parseResourceExpr(text), variable);
    return result.value < 0 ? "is negative" : undefined;
  } catch (error) {
    if (error instanceof ResourceExprError) return error.message;
    throw error;
  }
}

function check(expr: ResourceExpr, variable: string): Value {
  if (expr.kind === "number") return expr;
  if (expr.kind === "quantity") {
    return { kind: "quantity", value: Number(expr.value.mantissa) * 10 ** expr.value.scale };
  }
  if (expr.kind === "variable") {
    if (expr.name.toLowerCase() !== variable)
      throw new ResourceExprError(`uses ${expr.name}, but this field has only ${variable}`);
    return { kind: "quantity", value: Number.NaN };
  }
  if (expr.kind === "negate") {
    const { kind, value } = check(expr.operand, variable);
    return { kind, value: -value };
  }
  const left = check(expr.left, variable);
  const right = check(expr.right, variable);
  const kind = left.kind === "quantity" || right.kind === "quantity" ? "quantity" : "number";
  if (expr.kind === "call") return { kind, value: Math[expr.name](left.value, right.value) };
  if (expr.sign === "*" && left.kind === "quantity" && right.kind === "quantity")
    throw new ResourceExprError("multiplies two quantities");
  if (expr.sign === "/" && right.kind === "quantity") throw new ResourceExprError("divides by a quantity");
  if (expr.sign === "/" && right.value === 0) throw new ResourceExprError("divides by zero");
  return { kind, value: OPERATIONS[expr.sign](left.value, right.value) };
}

const OPERATIONS: Record<"+" | "-" | "*" | "/", (a: number, b: number) => number> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};
