// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { cacheFolder, provide } from "../../tools/cluster/binaries.ts";
import { down, find, up } from "../../tools/cluster/cluster.ts";
import { buildImages } from "../../tools/image/index.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Name of the cluster of tools/cluster. */
    cluster: string;
    /** The helm program. */
    helm: string;
  }
}

const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

/**
 * A cluster with the chart installed. `HOT_CLUSTER=NAME` uses the running one of that name and leaves it as it is after
 * the tests; otherwise one is started, and removed in the end.
 */
export default async function setup({ provide: give }: TestProject): Promise<() => Promise<void>> {
  const chosen = process.env["HOT_CLUSTER"];
  const name = chosen ?? `test-${process.pid}`;
  const helm = join(provide("helm", say), "helm");
  give("cluster", name);
  give("helm", helm);
  const ending = async (): Promise<void> => (chosen === undefined ? await down(name) : undefined);
  try {
    const built = await buildImages({ out: join(cacheFolder(), "images"), allInOne: true });
    const images = [...new Set(built.map(({ file }) => file))];
    const cluster = find(name) ?? (await up({ name, images, say }));
    const install = ["upgrade", "--install", "hot", "charts/hot", "--namespace", "hot-system", "--create-namespace"];
    execFileSync(helm, [...install, "--set", "image.tag=dev", "--wait", "--timeout", "120s"], {
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
      stdio: "pipe",
    });
  } catch (error) {
    await ending();
    throw error;
  }
  return ending;
}
