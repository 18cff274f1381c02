// SPDX-License-Identifier: Apache-2.0
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Window } from "./accounting/windows.ts";
import { now } from "./client/clock.ts";
import { LoadClient } from "./client/load-client.ts";
import type { LoadReport, Order } from "./client/main.ts";
import type { Amounts } from "./client/traffic.ts";
import { burn } from "./overload.ts";
import type { Peer, Running, Upgraded } from "./peers/peer.ts";
import { freePort } from "../../apps/demo/src/free-port.ts";

export interface Plan {
  readonly upgrades: number;
  /** From the begin of one to the begin of the next. */
  readonly everyMs: number;
  /** Every so many upgrades one runs with more busy processes than processors; 0 = none. */
  readonly overloadEvery: number;
  /** So long a process that has been told to stop may go on with its connections. */
  readonly drainMs: number;
}

export interface UpgradeTimes extends Upgraded {
  /** From the start of the new process until it serves. */
  readonly servesMs: number;
  readonly overloaded: boolean;
}

export interface PeerRun {
  readonly title: string;
  readonly upgrades: number;
  readonly load: LoadReport;
  readonly times: readonly UpgradeTimes[];
  readonly loadAverage: number;
  /** Of the serving process, before and after all of it. */
  readonly descriptors: readonly [before: number, after: number] | null;
}

const WARM_MS = 2_000;
/** A window ends so long after the new process serves: the old one has begun to drain, connections have moved. */
const AFTER_MS = 1_000;

/** As many upgrades as planned, under the classes of traffic that this peer can serve. */
export async function runUpgrades(peer: Peer, wanted: Amounts, plan: Plan): Promise<PeerRun> {
  const amounts = { ...wanted };
  for (const name of ["udp", "tls"] as const) if (!peer.serves.includes(name)) amounts[name] = 0;
  const ports = {
    http: await freePort(),
    udp: amounts.udp === 0 ? 0 : await freePort(),
    tls: amounts.tls === 0 ? 0 : await freePort(),
  };
  await using running = await peer.start(ports, plan.drainMs);
  const before = await running.descriptors?.();
  const run = await underLoad(running, { ports, amounts }, plan);
  const after = await running.descriptors?.();
  const descriptors = before === undefined || after === undefined ? null : ([before, after] as const);
  return { title: peer.title, upgrades: plan.upgrades, ...run, descriptors };
}

async function underLoad(
  running: Running,
  order: Order,
  plan: Plan,
): Promise<Pick<PeerRun, "load" | "times" | "loadAverage">> {
  const windows: Window[] = [];
  const times: UpgradeTimes[] = [];
  await using client = await LoadClient.start(order);
  await sleep(WARM_MS);
  for (let upgrade = 1; upgrade <= plan.upgrades; upgrade++) {
    const from = now();
    const overloaded = plan.overloadEvery > 0 && upgrade % plan.overloadEvery === 0;
    const stop = overloaded ? burn() : () => undefined;
    try {
      const upgraded = await running.upgrade();
      times.push({ ...upgraded, servesMs: now() - from, overloaded });
      windows.push({ from, to: now() + AFTER_MS });
      await sleep(AFTER_MS);
    } finally {
      stop();
    }
    await sleep(Math.max(0, plan.everyMs - (now() - from)));
  }
  const loadAverage = loadavg()[0] ?? Number.NaN;
  await sleep(WARM_MS);
  return { load: await client.stop({ windows, moments: [] }), times, loadAverage };
}
