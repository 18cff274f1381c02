// SPDX-License-Identifier: Apache-2.0
import { createReflector, RESOURCES, type KubeObject } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { expect, onTestFinished } from "vitest";
import { api } from "./kit.ts";

type Seen = Pod & KubeObject;

/** Every state of every pod that the API server has told a watch about. */
export interface PodHistory {
  /** Oldest first. */
  of(pod: Pod): readonly Pod[];
  /** Of all pods, in the order in which they were written. */
  all(): readonly Pod[];
}

/** Watches the pods of a namespace until the test ends. */
export async function watchPods(namespace: string): Promise<PodHistory> {
  const ending = new AbortController();
  const seen: Pod[] = [];
  const pods = createReflector<Seen>({ api: api(), resource: RESOURCES.pods, namespace });
  pods.subscribe(({ type, object }) => {
    if (type !== "deleted") seen.push(object);
  });
  const running = pods.run(ending.signal);
  onTestFinished(async () => {
    ending.abort();
    await running;
  });
  await pods.waitForSync(ending.signal);
  return { of: ({ metadata }) => seen.filter((one) => one.metadata.uid === metadata.uid), all: () => seen };
}

/** The application was not touched: one container, never restarted. */
export function expectAppUntouched(history: readonly Pod[]): void {
  expect(containerIDs(history, "app"), "containers of the application").toHaveLength(1);
  expect(history.map((pod) => statusOf(pod, "app")?.restartCount ?? 0).every((count) => count === 0)).toBe(true);
}

/** The containers that ran under this name, in the order of their start. */
export function containerIDs(history: readonly Pod[], name: string): string[] {
  const ids = history.map((pod) => statusOf(pod, name)?.containerID ?? "");
  return [...new Set(ids)].filter((id) => id !== "");
}

export function statusOf(pod: Pod, name: string): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find((one) => one.name === name);
}

type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];
