// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { RESOURCES, type KubeObject } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { inject } from "vitest";
import { installChart } from "../../tools/cluster/installation.ts";
import { api, isReady, kubectl, pods, until } from "./kit.ts";

/** Namespace of the installed chart. */
export const SYSTEM = "hot-system";
export const CRD = "sidecarsets.apps.kruise.io";

/** Runs Helm without holding up what the test does meanwhile. */
export async function helm(...args: string[]): Promise<void> {
  const all = [...args, "--namespace", SYSTEM, "--wait", "--timeout", "150s"];
  await promisify(execFile)(inject("helm"), all, { env: { ...process.env, KUBECONFIG: inject("kubeconfig") } });
}

/** The chart as the other tests have it, all replicas ready. */
export async function reinstall(): Promise<void> {
  installChart(inject("helm"), inject("kubeconfig"));
  await until("old replicas are gone", async () => (await replicas()).length === 2, 90_000);
}

/** Those that are not on their way out. */
export const replicas = (): Promise<Pod[]> => pods(SYSTEM);

/** Resolves when all are ready, or with 0, when the last process has ended. */
export async function scale(count: number): Promise<void> {
  kubectl(["scale", "-n", SYSTEM, "deployment/hot-webhook", `--replicas=${count}`]);
  const all = async (): Promise<Pod[]> =>
    (await api().list<Pod & KubeObject>(RESOURCES.pods, { namespace: SYSTEM })).items;
  await until(
    `${count} replicas`,
    async () => {
      const found = await all();
      return found.length === count && found.every(isReady);
    },
    90_000,
    async () => (await all()).map(({ metadata, status }) => [metadata.name, status]),
  );
}
