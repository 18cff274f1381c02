// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, provide } from "../../../tools/cluster/binaries.ts";
import { down, find, type Cluster } from "../../../tools/cluster/cluster.ts";
import { connect } from "../../../tools/cluster/host.ts";
import { writeCredentials } from "../../../tools/cluster/pki.ts";
import { createSandbox } from "../../../tools/cluster/sandbox.ts";

const LIMIT_MS = 180_000;
const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

/**
 * etcd and the API server of a test cluster, and nothing else: no scheduler, no controller manager, no kubelet, so that
 * whatever happens to a pod is ours or that of the simulated kubelets. `pnpm cluster down --name` knows it, too.
 */
export async function controlPlane(): Promise<{ readonly cluster: Cluster } & AsyncDisposable> {
  const name = `rollout-${process.pid}`;
  const bin = { kubernetes: provide("kubernetes", say), etcd: provide("etcd", say) };
  const folder = join(cacheFolder(), "cluster", name);
  const ending = (): Promise<void> => down(name);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void ending().finally(() => process.exit(1)));
  }
  try {
    for (const part of ["run", "log", "pki", "etcd", "var", "var.work"]) {
      mkdirSync(join(folder, part), { recursive: true });
    }
    const at = connect(await createSandbox(folder), 1);
    await writeCredentials(folder, at);
    const plan = { slot: Number(at.link.slice("hotc".length)), nodes: 1, bin };
    writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
    const cluster = find(name);
    if (cluster === undefined) throw new Error(`the cluster ${name} has ended at once`);
    for (const component of ["etcd", "apiserver"]) await cluster.start(component);
    await cluster.processes.until("apiserver", () => isReady(cluster), LIMIT_MS);
    return { cluster, [Symbol.asyncDispose]: ending };
  } catch (error) {
    await ending();
    throw error;
  }
}

function isReady(cluster: Cluster): boolean {
  try {
    return cluster.kubectl(["get", "--raw", "/readyz"]) === "ok";
  } catch {
    return false;
  }
}
