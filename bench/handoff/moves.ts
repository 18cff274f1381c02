// SPDX-License-Identifier: Apache-2.0
// How long connections take to move, all of them at once and without any other traffic.
import { setTimeout as sleep } from "node:timers/promises";
import type { DrainReport } from "../../packages/fd-transfer/src/index.ts";
import type { ClassReport } from "./accounting/account.ts";
import { LoadClient } from "./client/load-client.ts";
import { HotServers } from "./peers/hot.ts";
import { freePort } from "../../apps/demo/src/free-port.ts";

export interface Moves {
  readonly kind: "idle" | "echo";
  /** At each upgrade. */
  readonly connections: number;
  /** What each old process tells of its drain. */
  readonly reports: readonly DrainReport[];
  readonly load: ClassReport | undefined;
}

const REST_MS = 500;

export async function moves(kind: Moves["kind"], connections: number, upgrades: number): Promise<Moves> {
  const ports = { http: await freePort(), udp: 0, tls: 0 };
  await using servers = new HotServers(ports, 4_000);
  await servers.upgrade();
  const amounts = { new: 0, ka: 0, idle: 0, echo: 0, slow: 0, udp: 0, tls: 0, [kind]: connections };
  // Resolves when all of them are there.
  await using client = await LoadClient.start({ ports, amounts });
  const reports: DrainReport[] = [];
  for (let upgrade = 0; upgrade < upgrades; upgrade++) {
    const before = servers.owner;
    await servers.upgrade();
    const { args } = await before.says("drained");
    reports.push((args as [DrainReport])[0]);
    await sleep(REST_MS);
  }
  const { classes } = await client.stop({ windows: [], moments: [] });
  return { kind, connections, reports, load: classes[kind] };
}
