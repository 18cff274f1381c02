// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { provide } from "../../tools/cluster/binaries.ts";
import { down, find, up } from "../../tools/cluster/cluster.ts";
import { installChart, projectImages } from "../../tools/cluster/installation.ts";
import { findHelm, requireImages, requirePodNetwork } from "./foreign.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Name of the cluster of tools/cluster; empty for one that somebody else has made. */
    cluster: string;
    kubeconfig: string;
    /** The helm program. */
    helm: string;
  }
}

const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

/**
 * A cluster with the chart installed. `HOT_CLUSTER=NAME` uses the running one of tools/cluster and leaves it as it is;
 * `KUBECONFIG=FILE` uses any cluster that has the images (`pnpm image load`) and whose pods are reached from here; it
 * needs kubectl on the path. Otherwise one is started, and removed again.
 */
export default async function setup({ provide: give }: TestProject): Promise<() => Promise<void>> {
  const { HOT_CLUSTER: chosen, KUBECONFIG: foreign } = process.env;
  if (chosen === undefined && foreign !== undefined) {
    say(
      `the cluster of ${foreign} is not one of ours: skipped is what stops its processes or needs a cluster of its own`,
    );
    requireImages(foreign);
    const helm = findHelm(say);
    give("helm", helm);
    give("cluster", "");
    give("kubeconfig", foreign);
    installChart(helm, foreign);
    await requirePodNetwork(foreign);
    return () => Promise.resolve();
  }
  const helm = join(provide("helm", say), "helm");
  give("helm", helm);
  const name = chosen ?? `test-${process.pid}`;
  const ending = async (): Promise<void> => (chosen === undefined ? await down(name) : undefined);
  try {
    const { kubeconfig } = find(name) ?? (await up({ name, images: await projectImages(), say }));
    give("cluster", name);
    give("kubeconfig", kubeconfig);
    installChart(helm, kubeconfig);
  } catch (error) {
    await ending();
    throw error;
  }
  return ending;
}
