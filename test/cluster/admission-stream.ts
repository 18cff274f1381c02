// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { RESOURCES, type KubeObject } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { api, unique } from "./kit.ts";

/** A pod that the SidecarSets of the kit select. */
export const barePod = (namespace: string): Pod & KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: unique("pod"), namespace, labels: { app: "web" } },
  spec: { containers: [{ name: "app", image: "localhost/hot/demo-app:v1" }] },
});

/** What `kubectl create --dry-run=server` answers: admission is all that is asked of the cluster. */
export function dryRun(pod: Pod & KubeObject): Promise<Pod> {
  const { namespace = "" } = pod.metadata;
  return api().create<Pod & KubeObject>(RESOURCES.pods, pod, { namespace, dryRun: true });
}

export const isInjected = ({ spec }: Pod): boolean => spec.containers.some(({ name }) => name === "sidecar-1");

export interface Stream {
  created: number;
  /** Pods that were refused or have no sidecars, in words. */
  faults: string[];
}

/** Creates pods, one after the other and in bursts, as long as `meanwhile` takes. */
export async function createMeanwhile(namespace: string, meanwhile: () => Promise<void>): Promise<Stream> {
  const stream: Stream = { created: 0, faults: [] };
  const one = async (): Promise<void> => {
    const began = new Date().toISOString();
    try {
      stream.created++;
      if (!isInjected(await dryRun(barePod(namespace)))) stream.faults.push(`${began}: not injected`);
    } catch (error) {
      stream.faults.push(`${began}: ${String(error)}`);
    }
  };
  const over = new AbortController();
  const serial = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await one();
      await sleep(20);
    }
  };
  const bursts = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await Promise.all(Array.from({ length: 8 }, one));
      await sleep(500);
    }
  };
  const streams = [serial(), bursts()];
  try {
    await meanwhile();
  } finally {
    over.abort();
    await Promise.all(streams);
  }
  return stream;
}
