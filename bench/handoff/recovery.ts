// SPDX-License-Identifier: Apache-2.0
// The new process takes over and is struck: killed, or stopped as one that hangs. Nobody helps.
import { setTimeout as sleep } from "node:timers/promises";
import type { ClassReport } from "./accounting/account.ts";
import { now } from "./client/clock.ts";
import { LoadClient } from "./client/load-client.ts";
import { HotServers } from "./peers/hot.ts";
import { freePort } from "../../apps/demo/src/free-port.ts";

export interface Blow {
  readonly signal: "SIGKILL" | "SIGSTOP";
  /** Within the guard, right after it has begun to accept; or later, when it owns for good and the old one stands by. */
  readonly when: "guard" | "later";
}

export interface Recoveries {
  readonly blow: Blow;
  readonly trials: number;
  /** From the blow to the first answer on a connection made after it; NaN = never. */
  readonly recoveryMs: readonly number[];
  readonly load: ClassReport;
}

/** Few enough that none waits for another. */
const PER_SECOND = 300;
/** Longer than the time after which the old side accepts beside a silent new one (250 ms). */
const LOOK_MS = 1_000;

export async function recoveries(blow: Blow, trials: number): Promise<Recoveries> {
  const ports = { http: await freePort(), udp: 0, tls: 0 };
  await using servers = new HotServers(ports, 4_000);
  await servers.upgrade();
  const amounts = { new: PER_SECOND, ka: 0, idle: 0, echo: 0, slow: 0, udp: 0, tls: 0 };
  await using client = await LoadClient.start({ ports, amounts });
  const moments: number[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const next = servers.next();
    await next.says(blow.when === "guard" ? "committed" : "ready");
    if (blow.when === "later") await sleep(50 + ((trial * 37) % 400));
    moments.push(now());
    next.kill(blow.signal);
    await sleep(LOOK_MS);
    await next.end();
    await sleep(LOOK_MS / 4);
  }
  const { classes } = await client.stop({ windows: [], moments });
  const load = classes.new;
  if (load === undefined) throw new Error("the load client has not told of its connections");
  return { blow, trials, recoveryMs: load.recoveryMs, load };
}
