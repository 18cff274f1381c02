// SPDX-License-Identifier: Apache-2.0
import { toNano } from "../nano-quantity.ts";
import { parseResourceExpr, ResourceExprError, type ResourceExpr } from "./parse.ts";

/** A quantity in exact units of 10⁻⁹, or a plain number, which is a float64 as in Kruise. */
export type ResourceValue = { kind: "quantity"; nano: bigint } | { kind: "number"; value: number };

const NANO_OF_MILLI = 1_000_000n;
const NANO_OF_UNIT = 1_000_000_000n;
const MAX_NANO = 2n ** 63n * NANO_OF_UNIT;

/**
 * Evaluates an expression of `resourcesPolicy` as Kruise does: sums, max and min are exact; × and ÷ read the quantity
 * in whole milli (rounded up), compute in float64, so that both systems give one result, and cut to whole milli.
 *
 * @param variables - by lower-case name; the lookup does not heed case
 * @throws {ResourceExprError} when the expression can't be read or computed, or the result is negative or too large
 * @example evaluateResourceExpr("cpu*50% + 10m", { cpu: { kind: "quantity", nano: 200_000_000n } }) // 110m
 */
export function evaluateResourceExpr(text: string, variables: Readonly<Record<string, ResourceValue>>): ResourceValue {
  const result = evaluate(parseResourceExpr(text), variables);
  const isNegative = result.kind === "quantity" ? result.nano < 0n : result.value < 0;
  if (isNegative) throw new ResourceExprError("gives a negative result");
  if (nanoOf(result) >= MAX_NANO) throw new ResourceExprError("gives a result that is too large");
  return result;
}

/** The exact amount in units of 10⁻⁹; a plain number is cut to whole milli. */
export function nanoOf(value: ResourceValue): bigint {
  return value.kind === "quantity" ? value.nano : wholeMilli(value.value * 1000);
}

function evaluate(expr: ResourceExpr, variables: Readonly<Record<string, ResourceValue>>): ResourceValue {
  if (expr.kind === "number") return expr;
  if (expr.kind === "quantity") return { kind: "quantity", nano: toNano(expr.value) ?? tooLarge() };
  if (expr.kind === "variable") {
    const name = expr.name.toLowerCase();
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value === undefined) throw new ResourceExprError(`uses ${expr.name}, which has no value here`);
    return value;
  }
  if (expr.kind === "negate") {
    const value = evaluate(expr.operand, variables);
    return value.kind === "quantity" ? { ...value, nano: -value.nano } : { ...value, value: -value.value };
  }
  const left = evaluate(expr.left, variables);
  const right = evaluate(expr.right, variables);
  if (expr.kind === "call") {
    const leftWins = expr.name === "max" ? isGreater(left, right) : isGreater(right, left);
    return asKindOf(leftWins ? left : right, left, right);
  }
  if (expr.sign === "*") return multiply(left, right);
  if (expr.sign === "/") return divide(left, right);
  return add(left, expr.sign === "+" ? 1 : -1, right);
}

function add(left: ResourceValue, sign: 1 | -1, right: ResourceValue): ResourceValue {
  if (left.kind === "number" && right.kind === "number") return number(left.value + sign * right.value);
  return { kind: "quantity", nano: nanoOf(left) + BigInt(sign) * nanoOf(right) };
}

function multiply(left: ResourceValue, right: ResourceValue): ResourceValue {
  if (left.kind === "number" && right.kind === "number") return number(left.value * right.value);
  if (left.kind === "quantity" && right.kind === "quantity") throw new ResourceExprError("multiplies two quantities");
  const [quantity, factor] = left.kind === "quantity" ? [left, right] : [right, left];
  return scaled(quantity, (milli) => milli * (factor.kind === "number" ? factor.value : Number.NaN));
}

function divide(left: ResourceValue, right: ResourceValue): ResourceValue {
  if (right.kind === "quantity") throw new ResourceExprError("divides by a quantity");
  if (right.value === 0) throw new ResourceExprError("divides by zero");
  return left.kind === "number" ? number(left.value / right.value) : scaled(left, (milli) => milli / right.value);
}

function scaled(quantity: ResourceValue, operation: (milli: number) => number): ResourceValue {
  return { kind: "quantity", nano: wholeMilli(operation(Number(milliRoundedUp(nanoOf(quantity))))) };
}

/** Away from zero, as Kubernetes reads the milli value of a quantity. */
function milliRoundedUp(nano: bigint): bigint {
  const sign = nano < 0n ? -1n : 1n;
  return sign * ((nano * sign + NANO_OF_MILLI - 1n) / NANO_OF_MILLI);
}

function wholeMilli(milli: number): bigint {
  return Number.isFinite(milli) ? BigInt(Math.trunc(milli)) * NANO_OF_MILLI : tooLarge();
}

function isGreater(left: ResourceValue, right: ResourceValue): boolean {
  if (left.kind === "number" && right.kind === "number") return left.value > right.value;
  return nanoOf(left) > nanoOf(right);
}

function asKindOf(value: ResourceValue, left: ResourceValue, right: ResourceValue): ResourceValue {
  return left.kind === right.kind ? value : { kind: "quantity", nano: nanoOf(value) };
}

function number(value: number): ResourceValue {
  return { kind: "number", value };
}

function tooLarge(): never {
  throw new ResourceExprError("gives a result that is too large");
}
