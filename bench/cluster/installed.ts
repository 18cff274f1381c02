// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { cacheFolder, provide } from "../../tools/cluster/binaries.ts";
import { down, find, up, type Cluster } from "../../tools/cluster/cluster.ts";
import { buildImages } from "../../tools/image/index.ts";

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
    const built = await buildImages({ out: join(cacheFolder(), "images"), allInOne: true });
    const images = [...new Set(built.map(({ file }) => file))];
    const cluster = find(name) ?? (await up({ name, images, say }));
    const command = ["upgrade", "--install", "hot", "charts/hot", "--namespace", "hot-system", "--create-namespace"];
    execFileSync(helm, [...command, "--set", "image.tag=dev", "--wait", "--timeout", "120s"], {
      cwd: join(import.meta.dirname, "..", ".."),
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
      stdio: ["ignore", "ignore", "inherit"],
    });
    return { cluster, [Symbol.asyncDispose]: ending };
  } catch (error) {
    await ending();
    throw error;
  }
}

/** PATCH requests on pods that the API server has answered, whoever sent them; those on subresources not counted. */
export function podPatches(cluster: Cluster): number {
  const wanted = ['resource="pods"', 'verb="PATCH"', 'subresource=""'];
  return cluster
    .kubectl(["get", "--raw", "/metrics"])
    .split("\n")
    .filter((line) => line.startsWith("apiserver_request_total{") && wanted.every((one) => line.includes(one)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}
