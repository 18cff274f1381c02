// SPDX-License-Identifier: Apache-2.0
import type { Api, KubeObject, List, ListOptions, WatchEvent, WatchOptions } from "../src/api.ts";

/** One watch request that a test plays the server of. */
export interface ScriptedWatch {
  options: WatchOptions;
  send(...events: WatchEvent<KubeObject>[]): void;
  end(): void;
  fail(error: unknown): void;
}

/**
 * An API whose answers the test writes. Every call waits until it is answered; a watch ignores its signal on purpose,
 * like a stream whose other end is gone.
 */
export class ScriptedApi implements Pick<Api, "list" | "watch"> {
  readonly lists: { options: ListOptions; answer: (list: List<KubeObject>) => void; fail: (error: unknown) => void }[] =
    [];
  readonly watches: ScriptedWatch[] = [];

  list<T>(_: unknown, options: ListOptions = {}): Promise<List<T>> {
    const { promise, resolve, reject } = Promise.withResolvers<List<KubeObject>>();
    this.lists.push({ options, answer: resolve, fail: reject });
    return promise as Promise<unknown> as Promise<List<T>>;
  }

  watch<T>(_: unknown, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const queue: (() => WatchEvent<KubeObject> | undefined)[] = [];
    let wake = (): void => undefined;
    const put = (step: () => WatchEvent<KubeObject> | undefined): void => {
      queue.push(step);
      wake();
    };
    this.watches.push({
      options,
      send: (...events) => events.forEach((event) => put(() => event)),
      end: () => put(() => undefined),
      fail: (error) =>
        put(() => {
          throw error;
        }),
    });
    return (async function* () {
      for (;;) {
        const step = queue.shift();
        if (step) {
          const event = step();
          if (event === undefined) return;
          yield event as WatchEvent<T>;
        } else {
          await new Promise<void>((resolve) => (wake = resolve));
        }
      }
    })();
  }

  /** The list that waits for its answer. */
  get lastList(): ScriptedApi["lists"][number] {
    return this.lists.at(-1)!;
  }

  /** The latest watch. */
  get lastWatch(): ScriptedWatch {
    return this.watches.at(-1)!;
  }
}

export interface Pod extends KubeObject {
  spec?: { image: string };
}

/** A pod of namespace `d` in some version; its uid is its name's unless another one is given. */
export const pod = (name: string, resourceVersion: number, more: { uid?: string; image?: string } = {}): Pod => ({
  metadata: { name, namespace: "d", uid: more.uid ?? `uid-${name}`, resourceVersion: String(resourceVersion) },
  spec: { image: more.image ?? `v${resourceVersion}` },
});

export const listOf = (resourceVersion: number, ...items: Pod[]): List<KubeObject> => ({
  metadata: { resourceVersion: String(resourceVersion) },
  items,
});

export const bookmark = (resourceVersion: number): WatchEvent<KubeObject> => ({
  type: "BOOKMARK",
  object: { metadata: { resourceVersion: String(resourceVersion) } },
});
