// SPDX-License-Identifier: Apache-2.0
import { errorsOf } from "./accounting/account.ts";
import { atMost, gap, kept, latency, lossless, resumed, within, type BarRow, type Tried } from "./accounting/bar.ts";
import { figure } from "./accounting/table.ts";
import type { ClassName } from "./client/traffic.ts";
import type { Moves } from "./moves.ts";
import type { PeerRun, UpgradeTimes } from "./side-by-side.ts";
import type { Recoveries } from "./recovery.ts";

/** Everything that was measured; what was not is missing, and its rows say so. */
export interface Measured {
  readonly peers: ReadonlyMap<string, PeerRun>;
  /** Ours alone, with more of everything and more upgrades. */
  readonly own: PeerRun | undefined;
  readonly ownAmounts: { readonly ka: number; readonly idle: number; readonly echo: number };
  readonly recoveries: readonly Recoveries[];
  readonly moves: readonly Moves[];
  /** Milliseconds for 250 and for 10,000 descriptors. */
  readonly descriptorsMs: readonly [number, number];
}

const HANG_MS = 250;

export function barOf({ peers, own, ownAmounts, recoveries, moves, descriptorsMs }: Measured): BarRow[] {
  const classes = own?.load.classes ?? {};
  // Both runs of ours.
  const both = (name: ClassName): Tried[] =>
    [classes[name], peers.get("hot")?.load.classes[name]].filter((one) => one !== undefined);
  const chances = (connections: number): number => connections * (own?.upgrades ?? 0);
  const times = own?.times ?? [];
  const [before, after] = own?.descriptors ?? [];
  return [
    lossless("new connections: errors", both("new"), 50_000),
    lossless("keep-alive POSTs: errors", both("ka"), 70_000),
    lossless("idle connections: errors", both("idle"), 1),
    lossless("echo lines lost, changed or out of order", both("echo"), 1),
    lossless("responses of 3 s cut, three generations alive", both("slow"), 1),
    lossless("datagrams lost or answered twice", both("udp"), 1),
    resumed(classes.tls),
    kept("busy keep-alive connections closed", classes.ka, chances(ownAmounts.ka), 0.01),
    kept("idle connections closed", classes.idle, chances(ownAmounts.idle), 0),
    kept("echo connections closed", classes.echo, chances(ownAmounts.echo), 0),
    ...committedRows("the load of all peers", peers.get("hot")?.times ?? []),
    ...committedRows(
      "more of everything",
      times.filter(({ overloaded }) => !overloaded),
    ),
    told("  with the processors overloaded", committed(times.filter(({ overloaded }) => overloaded))),
    latency("new", peers.get("hot")?.load, peers.get("inherited")?.load),
    latency("ka", peers.get("hot")?.load, peers.get("inherited")?.load),
    gap(peers.get("hot")?.load, peers.get("floor")?.load),
    ...moves.flatMap(moveRows),
    ...recoveries.flatMap(recoveryRows),
    {
      figure: "descriptors of the serving process, before and after all upgrades",
      goal: "equal",
      measured: own?.descriptors ? `${before} and ${after}` : "–",
      reached: own?.descriptors ? before === after : null,
    },
    atMost("250 descriptors through the addon, fastest of 30", descriptorsMs[0], 1, "ms"),
    atMost("10,000 descriptors through the addon, fastest of 30", descriptorsMs[1], 15, "ms"),
  ];
}

function committedRows(load: string, times: readonly UpgradeTimes[]): BarRow[] {
  const ours = times.flatMap(({ committedMs, probeMs }) =>
    committedMs === undefined || probeMs === undefined ? [] : committedMs - probeMs,
  );
  return [
    within(`ready → committed, under ${load}`, committed(times), { p50: 10, p99: 50 }),
    told("  without the application's probe of itself", ours),
    told(
      "  processor time of the new process for it, ms",
      times.flatMap((one) => one.committedCpuMs ?? []),
    ),
  ];
}

function committed(some: readonly UpgradeTimes[]): number[] {
  return some.flatMap((one) => one.committedMs ?? []);
}

/** Without a goal. */
function told(what: string, all: readonly number[]): BarRow {
  return { ...within(what, all, { p99: Infinity }), goal: "", reached: null };
}

function moveRows({ kind, connections, reports, load }: Moves): BarRow[] {
  const what = `${connections} ${kind} connections at once`;
  const moved = reports.reduce((sum, report) => sum + report.moved, 0);
  const all = connections * reports.length;
  const errors = load === undefined ? Number.NaN : errorsOf(load);
  return [
    {
      figure: `${what}: moved`,
      goal: "all, 0 errors",
      measured: `${figure(moved)} of ${figure(all)}, ${errors} errors`,
      reached: moved === all && errors === 0,
    },
    within(
      `${what}: until the last one has moved`,
      reports.map(({ ms }) => ms),
      { p99: 250 },
    ),
  ];
}

function recoveryRows({ blow, recoveryMs, load }: Recoveries): BarRow[] {
  const how = blow.signal === "SIGKILL" ? "killed" : "hangs";
  const when = blow.when === "guard" ? "right after the takeover" : "later, the old one stands by";
  const what = `new side ${how} ${when}`;
  const refused = load.errors.refused ?? 0;
  const other = Object.entries(load.errors).filter(([kind]) => kind !== "refused");
  const own = other.map(([kind, count]) => `${count} ${kind}`).join(", ");
  return [
    within(`${what}: back`, recoveryMs, { p99: blow.signal === "SIGKILL" ? 50 : HANG_MS + 50 }),
    {
      figure: `${what}: connects refused`,
      goal: "0",
      measured: `${refused} of ${load.attempts}${own === "" ? "" : ` (the struck process' own: ${own})`}`,
      reached: refused === 0,
    },
  ];
}
