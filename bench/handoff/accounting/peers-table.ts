// SPDX-License-Identifier: Apache-2.0
import type { LoadReport } from "../client/main.ts";
import type { ClassName } from "../client/traffic.ts";
import { errorsOf, type ClassReport } from "./account.ts";
import type { Quantiles } from "./samples.ts";
import { figure } from "./table.ts";

/** One peer under load; or why there is nothing to tell. */
export type PeerResult =
  | {
      readonly title: string;
      readonly upgrades: number;
      readonly load: LoadReport;
      /** Of the machine, at the end of the run. */
      readonly loadAverage: number;
    }
  | { readonly title: string; readonly absent: string };

const REQUESTS: readonly ClassName[] = ["new", "ka", "idle", "echo", "slow", "udp"];

/** What each loses: errors of attempts, connections that the server ended, and latencies in and out of the windows. */
export function lossRow(result: PeerResult): Record<string, string> {
  if ("absent" in result) return row(result.title, () => "–", { upgrades: result.absent });
  const { load, upgrades } = result;
  const cell = (name: ClassName): string => {
    const report = load.classes[name];
    return report === undefined ? "–" : errors(report);
  };
  const closed = (["ka", "idle", "echo"] as const).map((name) => figure(load.classes[name]?.closed ?? Number.NaN));
  const { new: fresh } = load.classes;
  return row(result.title, cell, {
    upgrades: String(upgrades),
    closed: closed.join(" / "),
    gap: figure(fresh?.longestGap.ms ?? Number.NaN),
    new: latencies(fresh),
    ka: latencies(load.classes.ka),
    reached: figure(Math.round(fresh?.extra["reachedPerSecond"] ?? Number.NaN)),
    busy: `${Math.round(load.clientBusy * 100)} % / ${figure(load.clientDelayMs.p99)}`,
    loadAverage: result.loadAverage.toFixed(1),
  });
}

function row(title: string, cell: (name: ClassName) => string, more: Record<string, string>): Record<string, string> {
  const of = (name: string): string => more[name] ?? "–";
  return {
    peer: title,
    upgrades: of("upgrades"),
    ...Object.fromEntries(REQUESTS.map((name) => [name === "echo" ? "echo lines" : name, cell(name)])),
    "closed ka / idle / echo": of("closed"),
    "longest gap, ms": of("gap"),
    "new p50/p99, ms": of("new"),
    "ka p50/p99, ms": of("ka"),
    "new/s reached": of("reached"),
    "client busy / delay p99, ms": of("busy"),
    "load average": of("loadAverage"),
  };
}

function errors(report: ClassReport): string {
  const count = errorsOf(report);
  const kinds = Object.entries(report.errors).map(([kind, times]) => `${times} ${kind}`);
  const shown = count === 0 ? "0" : `**${figure(count)}**`;
  return `${shown}/${figure(report.attempts)}${count === 0 ? "" : ` (${kinds.join(", ")})`}`;
}

/** While an upgrade is under way, and otherwise. */
function latencies(report: ClassReport | undefined): string {
  if (report === undefined) return "–";
  const { inside, outside } = report;
  const pair = ({ p50, p99 }: Quantiles): string => `${figure(p50)}/${figure(p99)}`;
  return `in ${pair(inside)}, out ${pair(outside)}`;
}
