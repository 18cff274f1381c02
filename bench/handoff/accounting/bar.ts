// SPDX-License-Identifier: Apache-2.0
import type { LoadReport } from "../client/main.ts";
import type { ClassName } from "../client/traffic.ts";
import { errorsOf, type ClassReport } from "./account.ts";
import { quantilesOf } from "./samples.ts";
import { figure } from "./table.ts";

/** A figure with its goal. `reached` is null where nothing was measured, or where the machine alone is over the goal. */
export interface BarRow {
  readonly figure: string;
  readonly goal: string;
  readonly measured: string;
  readonly reached: boolean | null;
}

export function barTable(rows: readonly BarRow[]): Record<string, string>[] {
  return rows.map(({ reached, ...row }) => ({
    ...row,
    ok: row.goal === "" ? "" : reached === null ? "not decided" : reached ? "ok" : "MISSED",
  }));
}

/** What counts for {@link lossless}. */
export type Tried = Pick<ClassReport, "attempts" | "errors">;

/** 0 errors of at least so many in all runs. Fewer attempts without an error decide nothing. */
export function lossless(what: string, runs: readonly Tried[], least: number): BarRow {
  const goal = `0 of ≥ ${figure(least)}`;
  if (runs.length === 0) return { figure: what, goal, measured: "–", reached: null };
  const count = runs.reduce((sum, run) => sum + errorsOf(run), 0);
  const attempts = runs.reduce((sum, run) => sum + run.attempts, 0);
  const measured = `${figure(count)} of ${figure(attempts)}`;
  return { figure: what, goal, measured, reached: count > 0 ? false : attempts >= least ? true : null };
}

/** Of all connections times all upgrades, so many were ended by the server. */
export function kept(what: string, report: ClassReport | undefined, chances: number, most: number): BarRow {
  const goal = most === 0 ? "0" : `≤ ${figure(most * 100)} %`;
  if (report === undefined) return { figure: what, goal, measured: "–", reached: null };
  const measured = `${figure(report.closed)} of ${figure(chances)}`;
  return { figure: what, goal, measured, reached: report.closed <= chances * most };
}

/** p50 and p99 under these limits. One that never came (NaN) misses every limit. */
export function within(what: string, all: readonly number[], limits: { p50?: number; p99: number }): BarRow {
  const { p50, p99 } = quantilesOf(all.map((one) => (Number.isNaN(one) ? Infinity : one)));
  const goals = [limits.p50 === undefined ? [] : [`p50 < ${limits.p50} ms`], `p99 < ${limits.p99} ms`].flat();
  const measured = `p50 ${figure(p50)}, p99 ${figure(p99)} ms of ${all.length}`;
  const reached = all.length === 0 ? null : p99 < limits.p99 && (limits.p50 === undefined || p50 < limits.p50);
  return { figure: what, goal: goals.join(", "), measured, reached };
}

/** Latency while an upgrade is under way, in relation to a listener that is only inherited, in the same run. */
export function latency(name: ClassName, ours: LoadReport | undefined, theirs: LoadReport | undefined): BarRow {
  const what = `p99 of ${name} in the window, × an inherited listener`;
  const [own, other] = [ours?.classes[name]?.inside, theirs?.classes[name]?.inside];
  if (own === undefined || other === undefined) return { figure: what, goal: "≤ 1.5", measured: "–", reached: null };
  const ratio = own.p99 / other.p99;
  const measured = `${figure(ratio)} (${figure(own.p99)} / ${figure(other.p99)} ms)`;
  return { figure: what, goal: "≤ 1.5", measured, reached: ratio <= 1.5 };
}

/** A gap that the machine has without any upgrade says nothing about the hand-over. */
export function gap(ours: LoadReport | undefined, floor: LoadReport | undefined): BarRow {
  const what = "longest time without an answer to a new connection, in a window";
  const [own, base] = [ours?.classes.new?.longestGapInside.ms, floor?.classes.new?.longestGap.ms];
  if (own === undefined) return { figure: what, goal: "≤ 50 ms", measured: "–", reached: null };
  const measured = `${figure(own)} ms (floor without upgrades: ${base === undefined ? "–" : figure(base)} ms)`;
  const undecided = own > 50 && (base ?? 0) > 50;
  return { figure: what, goal: "≤ 50 ms", measured, reached: undecided ? null : own <= 50 };
}

export function resumed(report: ClassReport | undefined): BarRow {
  const what = "TLS sessions resumed";
  const { offered = 0, resumed: taken = 0 } = report?.extra ?? {};
  const measured = `${figure(taken)} of ${figure(offered)}`;
  return { figure: what, goal: "> 99 %", measured, reached: offered === 0 ? null : taken / offered > 0.99 };
}

export function atMost(what: string, measured: number, most: number, unit: string): BarRow {
  return { figure: what, goal: `< ${most} ${unit}`, measured: `${figure(measured)} ${unit}`, reached: measured < most };
}
