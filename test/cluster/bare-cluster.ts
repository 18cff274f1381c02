// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import type { Pod } from "@hot/spec";
import { expect, onTestFinished } from "vitest";
import { down, up, type Cluster } from "../../tools/cluster/cluster.ts";
import { projectImages } from "../../tools/cluster/installation.ts";
import { unique } from "./kit.ts";
import { readPage, type } from "./typed-commands.ts";

export const operations = readPage("docs/operations.md");

/** A machine that does much else besides is slow, not wrong. */
export const LIMIT_MS = 600_000;

const WEBHOOK = "localhost/hot/webhook:0.1.0";

/**
 * A cluster of the test's own without the chart, with the images under the tag that the chart asks for, as after
 * `pnpm image load --version 0.1.0`. Removed when the test ends.
 */
export async function bareCluster(): Promise<Cluster> {
  const name = unique("ops");
  onTestFinished(() => down(name));
  const cluster = await up({ name, images: await projectImages() });
  for (const node of cluster.nodes) {
    const [file = "", ...args] = cluster.ctr(node, ["images", "tag", "localhost/hot/webhook:dev", WEBHOOK]);
    execFileSync(file, args);
  }
  return cluster;
}

export function read(on: Cluster, ...args: string[]): unknown {
  return JSON.parse(on.kubectl([...args, "-o", "json"]));
}

/** The pods that get sidecars in these tests, in the namespace `default`, but for those on their way out. */
export function podsOf(on: Cluster): Pod[] {
  const { items } = read(on, "get", "pods", "-l", "app=web") as { items: Pod[] };
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** How the definition says that versions are converted. */
export function conversionStrategy(on: Cluster): string {
  const crd = "sidecarsets.apps.kruise.io";
  const { spec } = read(on, "get", "crd", crd) as { spec: { conversion: { strategy: string } } };
  return spec.conversion.strategy;
}

/** A pod that is created now gets its sidecars. */
export async function expectInjection(on: Cluster): Promise<void> {
  const command =
    "kubectl run trial --image=any --labels=app=web --dry-run=server -o jsonpath='{.spec.containers[*].name}'";
  const names = (await type(on, command)).split(" ").sort();
  expect(names).toEqual(["sidecar-1", "sidecar-2", "trial"]);
}

/** Each container of each pod, as it was started. */
export const containersOf = (pods: readonly Pod[]): unknown =>
  pods.map(({ metadata, status }) => [metadata.uid, status?.containerStatuses?.map(({ containerID }) => containerID)]);
