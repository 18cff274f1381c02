// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../../tools/cluster/cluster.ts";

/** Requests that the API server has answered so far, by `VERB resource/subresource code`. */
export type Requests = ReadonlyMap<string, number>;

const QUIET_MS = 2_000;
const LIMIT_MS = 180_000;
const COUNTED = /^apiserver_request_total\{(.*)\} (\S+)$/;
/** All but leases, which are renewed whatever happens. */
export const WRITES = /^(?:POST|PUT|PATCH|DELETE) (?!leases)/;

export function requestsOf(cluster: Cluster): Requests {
  const counts = new Map<string, number>();
  for (const line of cluster.kubectl(["get", "--raw", "/metrics"]).split("\n")) {
    const [, labels = "", count = ""] = COUNTED.exec(line) ?? [];
    if (count === "") continue;
    const label = (name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? "";
    const subresource = label("subresource") === "" ? "" : `/${label("subresource")}`;
    const key = `${label("verb")} ${label("resource")}${subresource} ${label("code")}`;
    counts.set(key, (counts.get(key) ?? 0) + Number(count));
  }
  return counts;
}

/** How many of these there were in between. */
export function between(before: Requests, after: Requests, which: RegExp): number {
  const sum = (counts: Requests): number =>
    [...counts].reduce((total, [key, count]) => total + (which.test(key) ? count : 0), 0);
  return sum(after) - sum(before);
}

/** Resolves once nobody has written anything for a while: what is left of one measurement must not burden the next. */
export async function quiet(cluster: Cluster): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  for (let before = requestsOf(cluster); ;) {
    await sleep(QUIET_MS);
    const after = requestsOf(cluster);
    if (between(before, after, WRITES) === 0) return;
    if (performance.now() > end) throw new Error("the API server does not come to rest");
    before = after;
  }
}
