// SPDX-License-Identifier: Apache-2.0
import { RESOURCES, sleep, type Api, type Clock, type List } from "@hot/kube";
import type { Pod } from "@hot/spec";

interface Options {
  clock: Clock;
  log: (line: string) => void;
  onPod: (pod: Pod) => void;
  onGone: (pod: Pod) => void;
}

const RETRY_MS = 1_000;

/** Follows the pods of a node for ever: list, watch, and again after any break. Resolves after the first list. */
export async function watchPods(api: Api, nodeName: string, options: Options): Promise<{ stop(): void }> {
  const { clock, log, onPod, onGone } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const fieldSelector = `spec.nodeName=${nodeName}`;
  const known = new Map<string, Pod>();

  const take = (pod: Pod): void => {
    known.set(pod.metadata.uid ?? "", pod);
    onPod(pod);
  };
  const drop = (pod: Pod): void => {
    known.delete(pod.metadata.uid ?? "");
    onGone(pod);
  };
  const list = async (): Promise<string> => {
    const { items, metadata }: List<Pod> = await api.list<Pod>(RESOURCES.pods, { fieldSelector, signal });
    const listed = new Set(items.map((pod) => pod.metadata.uid));
    for (const pod of known.values()) if (!listed.has(pod.metadata.uid)) drop(pod);
    for (const pod of items) take(pod);
    return metadata.resourceVersion;
  };
  /** Answers where to go on, or undefined when a new list is needed. */
  const watch = async (from: string): Promise<string | undefined> => {
    let resourceVersion = from;
    for await (const event of api.watch<Pod>(RESOURCES.pods, { resourceVersion, fieldSelector, signal })) {
      if (event.type === "ERROR") return undefined;
      resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
      if (event.type === "DELETED") drop(event.object);
      else if (event.type !== "BOOKMARK") take(event.object);
    }
    return resourceVersion;
  };
  const follow = async (from: string): Promise<void> => {
    let at: string | undefined = from;
    while (!signal.aborted) {
      try {
        at = await watch(at ?? (await list()));
      } catch (error) {
        at = undefined;
        if (signal.aborted) return;
        log(`pods not followed: ${(error as Error).message}; trying again`);
        await sleep(clock, RETRY_MS, signal);
      }
    }
  };
  void follow(await list());
  return { stop: () => stop.abort() };
}
