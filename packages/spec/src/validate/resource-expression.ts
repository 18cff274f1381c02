// SPDX-License-Identifier: Apache-2.0

import { parseQuantity } from "../quantity.ts";

/** What an expression yields; the number is NaN where it depends on the pod. */
interface Value {
  kind: "quantity" | "number";
  value: number;
}

const VARIABLE: Value = { kind: "quantity", value: Number.NaN };
const MAX_LENGTH = 1024;
const TOKEN =
  /[ \t\r\n]*(?:(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?<suffix>[A-Za-z%]*)|(?<name>[A-Za-z]\w*)|(?<sign>[-+*/(),]))/y;
const QUANTITY_SUFFIX = /^(?:[mkMGTP]|[KMGTP]i)$/;

class Problem extends Error {}

/**
 * Says why an expression of resourcesPolicy fails for every pod, or undefined when it can succeed. It is checked by
 * type, with the field's own variable as a quantity; only a result that is negative whatever the pod is refused.
 *
 * @param variable the only name that the field may use: its own resource
 */
export function resourceExpressionProblem(text: string, variable: "cpu" | "memory"): string | undefined {
  if (text.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  try {
    const parser = new Parser(text, variable);
    const result = parser.sum();
    parser.end();
    return result.value < 0 ? "is negative" : undefined;
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
}

class Parser {
  readonly #text: string;
  readonly #variable: string;
  #position = 0;

  constructor(text: string, variable: string) {
    this.#text = text.replace(/[ \t\r\n]+$/, "");
    this.#variable = variable;
  }

  end(): void {
    if (this.#position < this.#text.length) throw new Problem(`can't be read from "${this.#rest()}" on`);
  }

  sum(): Value {
    let left = this.#product();
    for (let sign = this.#take("+", "-"); sign; sign = this.#take("+", "-")) {
      const right = this.#product();
      left = combine(left, right, (a, b) => (sign === "+" ? a + b : a - b));
    }
    return left;
  }

  #product(): Value {
    let left = this.#unary();
    for (let sign = this.#take("*", "/"); sign; sign = this.#take("*", "/")) {
      const right = this.#unary();
      if (sign === "*" && left.kind === "quantity" && right.kind === "quantity")
        throw new Problem("multiplies two quantities");
      if (sign === "/" && right.kind === "quantity") throw new Problem("divides by a quantity");
      if (sign === "/" && right.kind === "number" && right.value === 0) throw new Problem("divides by zero");
      left = combine(left, right, (a, b) => (sign === "*" ? a * b : a / b));
    }
    return left;
  }

  #unary(): Value {
    if (!this.#take("-")) return this.#atom();
    const value = this.#unary();
    return { kind: value.kind, value: -value.value };
  }

  #atom(): Value {
    if (this.#take("(")) return this.#closing(this.sum());
    const { number, suffix, name } = this.#next() ?? {};
    if (number !== undefined) return numberValue(number, suffix ?? "");
    if (name === undefined) throw new Problem(`misses a value at "${this.#rest()}"`);
    const lower = name.toLowerCase();
    if (!this.#take("(")) {
      if (lower !== this.#variable) throw new Problem(`uses ${name}, but this field has only ${this.#variable}`);
      return VARIABLE;
    }
    if (lower !== "max" && lower !== "min") throw new Problem(`calls ${name}, but there are only max and min`);
    const first = this.sum();
    if (!this.#take(",")) throw new Problem(`gives ${lower} one argument instead of two`);
    return this.#closing(combine(first, this.sum(), lower === "max" ? Math.max : Math.min));
  }

  #closing(value: Value): Value {
    if (!this.#take(")")) throw new Problem(`misses ")" at "${this.#rest()}"`);
    return value;
  }

  #take(...signs: string[]): string | undefined {
    const before = this.#position;
    const sign = this.#next()?.["sign"];
    if (sign !== undefined && signs.includes(sign)) return sign;
    this.#position = before;
    return undefined;
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

function combine(left: Value, right: Value, operation: (a: number, b: number) => number): Value {
  const kind = left.kind === "quantity" || right.kind === "quantity" ? "quantity" : "number";
  return { kind, value: operation(left.value, right.value) };
}

function numberValue(number: string, suffix: string): Value {
  if (suffix === "") return { kind: "number", value: Number(number) };
  if (suffix === "%") return { kind: "number", value: Number(number) / 100 };
  if (!QUANTITY_SUFFIX.test(suffix)) throw new Problem(`has the unknown unit ${suffix}`);
  const quantity = parseQuantity(number + suffix);
  if (!quantity) throw new Problem(`has an exponent and the unit ${suffix}`);
  return { kind: "quantity", value: Number(quantity.mantissa) * 10 ** quantity.scale };
}
