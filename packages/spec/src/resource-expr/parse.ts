// SPDX-License-Identifier: Apache-2.0
import { parseQuantity, type ParsedQuantity } from "../quantity.ts";

/** An expression of `resourcesPolicy`, read but not judged: names and types are looked at by check and evaluation. */
export type ResourceExpr =
  | { kind: "number"; value: number }
  | { kind: "quantity"; value: ParsedQuantity }
  | { kind: "variable"; name: string }
  | { kind: "negate"; operand: ResourceExpr }
  | { kind: "binary"; sign: "+" | "-" | "*" | "/"; left: ResourceExpr; right: ResourceExpr }
  | { kind: "call"; name: "max" | "min"; left: ResourceExpr; right: ResourceExpr };

/** What is wrong with an expression, as the end of a sentence that starts with "It". */
export class ResourceExprError extends Error {
  override readonly name = "ResourceExprError";
}

const MAX_LENGTH = 1024;
const TOKEN =
  /[ \t\r\n]*(?:(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?<suffix>[A-Za-z%]*)|(?<name>[A-Za-z]\w*)|(?<sign>[-+*/(),]))/y;
const QUANTITY_SUFFIX = /^(?:[mkMGTP]|[KMGTP]i)$/;

/**
 * Reads an expression: numbers, `50%`, quantities with m k M G T P Ki Mi Gi Ti Pi, names, `+ - * / ( )`, `max`, `min`.
 *
 * @throws {ResourceExprError} when it does not follow the grammar
 */
export function parseResourceExpr(text: string): ResourceExpr {
  if (text.length > MAX_LENGTH) throw new ResourceExprError(`is longer than ${MAX_LENGTH} characters`);
  const parser = new Parser(text);
  const result = parser.sum();
  parser.end();
  return result;
}

class Parser {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text.replace(/[ \t\r\n]+$/, "");
  }

  end(): void {
    if (this.#position < this.#text.length) throw new ResourceExprError(`can't be read from "${this.#rest()}" on`);
  }

  sum(): ResourceExpr {
    let left = this.#product();
    for (let sign = this.#take("+", "-"); sign; sign = this.#take("+", "-"))
      left = { kind: "binary", sign, left, right: this.#product() };
    return left;
  }

  #product(): ResourceExpr {
    let left = this.#unary();
    for (let sign = this.#take("*", "/"); sign; sign = this.#take("*", "/"))
      left = { kind: "binary", sign, left, right: this.#unary() };
    return left;
  }

  #unary(): ResourceExpr {
    return this.#take("-") ? { kind: "negate", operand: this.#unary() } : this.#atom();
  }

  #atom(): ResourceExpr {
    if (this.#take("(")) return this.#closing(this.sum());
    const { number, suffix, name } = this.#next() ?? {};
    if (number !== undefined) return literal(number, suffix ?? "");
    if (name === undefined) throw new ResourceExprError(`misses a value at "${this.#rest()}"`);
    if (!this.#take("(")) return { kind: "variable", name };
    const lower = name.toLowerCase();
    if (lower !== "max" && lower !== "min")
      throw new ResourceExprError(`calls ${name}, but there are only max and min`);
    const left = this.sum();
    if (!this.#take(",")) throw new ResourceExprError(`gives ${lower} one argument instead of two`);
    return this.#closing({ kind: "call", name: lower, left, right: this.sum() });
  }

  #closing(expr: ResourceExpr): ResourceExpr {
    if (!this.#take(")")) throw new ResourceExprError(`misses ")" at "${this.#rest()}"`);
    return expr;
  }

  #take<S extends string>(...signs: S[]): S | undefined {
    const before = this.#position;
    const sign = this.#next()?.["sign"];
    const taken = signs.find((one) => one === sign);
    if (taken === undefined) this.#position = before;
    return taken;
  }

  #next(): Record<string, string | undefined> | undefined {
    TOKEN.lastIndex = this.#position;
    const match = TOKEN.exec(this.#text);
    if (match) this.#position = TOKEN.lastIndex;
    return match?.groups;
  }

  #rest(): string {
    return this.#text.slice(this.#position).trim();
  }
}

function literal(number: string, suffix: string): ResourceExpr {
  if (suffix === "") return { kind: "number", value: Number(number) };
  if (suffix === "%") return { kind: "number", value: Number(number) / 100 };
  if (!QUANTITY_SUFFIX.test(suffix)) throw new ResourceExprError(`has the unknown unit ${suffix}`);
  const value = parseQuantity(number + suffix);
  if (!value) throw new ResourceExprError(`has an exponent and the unit ${suffix}`);
  return { kind: "quantity", value };
}
