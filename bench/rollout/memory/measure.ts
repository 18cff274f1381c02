// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "../child.ts";
import type { FirstPlans, Spent, Weight } from "../servers/cache.ts";
import type { EventCost, Fleet, RolloutCost } from "../servers/in-memory.ts";
import { EVEN, SETS } from "./fleet.ts";

const server = (name: string): string => join(import.meta.dirname, "../servers", `${name}.ts`);

export interface CacheResults {
  readonly parsed: Spent;
  readonly synchronised: Spent;
  readonly firstPlans: FirstPlans;
  readonly weight: Weight;
}

/**
 * Reading all pods, in a fresh process each time, from lists that another process makes. As deployed by the chart: with
 * its options, and, by a cache, without what removes types from sources and stays in memory.
 */
export async function caches(pods: number): Promise<CacheResults> {
  const compiled = await mkdtemp(join(tmpdir(), "hot-bench-"));
  const env = { NODE_OPTIONS: await nodeOptions(), NODE_COMPILE_CACHE: compiled };
  try {
    await using lists = startChild(server("lists"), [String(pods)]);
    const kubeconfig = await lists.ask<string>("kubeconfig");
    const parse = async (): Promise<Spent> => {
      await using cache = startChild(server("cache"), [kubeconfig], env);
      await cache.ask("compiled");
      return await cache.ask<Spent>("parse");
    };
    const parsed = await parse();
    const synchronise = async (): Promise<Omit<CacheResults, "parsed">> => {
      await using cache = startChild(server("cache"), [kubeconfig], env);
      const synchronised = await cache.ask<Spent>("synchronise");
      const firstPlans = await cache.ask<FirstPlans>("firstPlans", SETS);
      return { synchronised, firstPlans, weight: await cache.ask<Weight>("weigh") };
    };
    const results = { parsed, ...(await synchronise()) };
    await lists.ask("close");
    return results;
  } finally {
    await rm(compiled, { recursive: true });
  }
}

/** Of a controller in a Deployment of its own. */
async function nodeOptions(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, "../../../charts/hot/values.schema.json"), "utf8");
  const schema = JSON.parse(text) as {
    properties: { separateController: { properties: { nodeOptions: { default: string } } } };
  };
  return schema.properties.separateController.properties.nodeOptions.default;
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
