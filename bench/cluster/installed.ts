// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { provide } from "../../tools/cluster/binaries.ts";
import { down, find, up, type Cluster } from "../../tools/cluster/cluster.ts";
import { installChart, projectImages } from "../../tools/cluster/installation.ts";

const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

/** A cluster of our own with the chart installed; `HOT_CLUSTER=NAME` takes the running one and leaves it running. */
export async function installedCluster(): Promise<{ readonly cluster: Cluster } & AsyncDisposable> {
  const chosen = process.env["HOT_CLUSTER"];
  const name = chosen ?? `bench-${process.pid}`;
  const ending = async (): Promise<void> => (chosen === undefined ? await down(name) : undefined);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void ending().finally(() => process.exit(1)));
  }
  try {
    const helm = join(provide("helm", say), "helm");
    const cluster = find(name) ?? (await up({ name, images: await projectImages(), say }));
    installChart(helm, cluster.kubeconfig);
    return { cluster, [Symbol.asyncDispose]: ending };
  } catch (error) {
    await ending();
    throw error;
  }
}

/** PATCH requests on pods, or on one of their subresources, that the API server has answered, whoever sent them; with one code, or all. */
export function podPatches(cluster: Cluster, subresource = "", code?: number): number {
  const wanted = ['resource="pods"', 'verb="PATCH"', `subresource="${subresource}"`];
  if (code !== undefined) wanted.push(`code="${code}"`);
  return cluster
    .kubectl(["get", "--raw", "/metrics"])
    .split("\n")
    .filter((line) => line.startsWith("apiserver_request_total{") && wanted.every((one) => line.includes(one)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}
