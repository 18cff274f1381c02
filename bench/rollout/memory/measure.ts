// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { startChild } from "../child.ts";
import type { Spent, Weight } from "../servers/cache.ts";
import type { EventCost, Fleet, RolloutCost } from "../servers/in-memory.ts";
import { EVEN } from "./fleet.ts";

const server = (name: string): string => join(import.meta.dirname, "../servers", `${name}.ts`);

export interface CacheResults {
  readonly parsed: Spent;
  readonly synchronised: Spent;
  readonly weight: Weight;
}

/** Reading all pods, in a fresh process each time, from lists that another process makes. */
export async function caches(pods: number): Promise<CacheResults> {
  await using lists = startChild(server("lists"), [String(pods)]);
  const kubeconfig = await lists.ask<string>("kubeconfig");
  const parse = async (): Promise<Spent> => {
    await using cache = startChild(server("cache"), [kubeconfig]);
    return await cache.ask<Spent>("parse");
  };
  const parsed = await parse();
  const synchronise = async (): Promise<Omit<CacheResults, "parsed">> => {
    await using cache = startChild(server("cache"), [kubeconfig]);
    const synchronised = await cache.ask<Spent>("synchronise");
    return { synchronised, weight: await cache.ask<Weight>("weigh") };
  };
  const results = { parsed, ...(await synchronise()) };
  await lists.ask("close");
  return results;
}

export interface EventResult extends EventCost {
  readonly own: number;
  readonly pods: number;
}

/** Each in a fresh process: `own` pods of the SidecarSet whose pod has an event, and all other pods of 49 others. */
export async function eventCosts(cases: readonly { own: number; pods: number }[]): Promise<EventResult[]> {
  const results: EventResult[] = [];
  for (const { own, pods } of cases) {
    await using child = startChild(server("in-memory"), []);
    const fleet: Fleet = { pods, shares: { own } };
    await child.ask("start", fleet);
    const cost = await child.ask<EventCost>("eventCost", { ...fleet, events: 50 });
    results.push({ own, pods, ...cost });
  }
  return results;
}

export interface RolloutResult extends RolloutCost {
  readonly pods: number;
  readonly sets: string;
}

/** Whole rollouts: of one SidecarSet with all pods, and of 50 at once. */
export async function rolloutCosts(sizes: readonly number[], own: boolean): Promise<RolloutResult[]> {
  const results: RolloutResult[] = [];
  for (const pods of sizes) {
    await using child = startChild(server("in-memory"), []);
    const fleet: Fleet = { pods, shares: own ? { own: pods } : EVEN };
    await child.ask("start", fleet);
    results.push({ pods, sets: own ? "1" : "50", ...(await child.ask<RolloutCost>("rollout", fleet)) });
  }
  return results;
}
