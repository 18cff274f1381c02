// SPDX-License-Identifier: Apache-2.0

/** One figure with what it should be. */
export interface Row {
  readonly figure: string;
  readonly unit: string;
  readonly goal: string;
  readonly measured: string;
  readonly ok: "yes" | "NO" | "";
}

/** A figure that no goal is set for. */
export function told(figure: string, unit: string, measured: number | string): Row {
  return { figure, unit, goal: "", measured: text(measured), ok: "" };
}

export function atLeast(figure: string, unit: string, goal: number, measured: number): Row {
  return { figure, unit, goal: `≥ ${goal}`, measured: text(measured), ok: measured >= goal ? "yes" : "NO" };
}

export function atMost(figure: string, unit: string, goal: number, measured: number): Row {
  return { figure, unit, goal: `≤ ${goal}`, measured: text(measured), ok: measured <= goal ? "yes" : "NO" };
}

/** Three digits that say something; whole numbers from 100 on. */
function text(value: number | string): string {
  if (typeof value === "string") return value;
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
