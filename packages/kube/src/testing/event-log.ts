// SPDX-License-Identifier: Apache-2.0
import type { KubeObject, WatchEvent, WatchOptions } from "../api.ts";
import { ConnectionError } from "../api-error.ts";
import { matches } from "./selector.ts";

interface Entry {
  version: number;
  before?: KubeObject;
  after?: KubeObject;
}

/** The changes of one resource, in order, and the watches that read them. */
export class EventLog {
  readonly #entries: Entry[] = [];
  #broken = 0;
  #changed = Promise.withResolvers<void>();

  append(version: number, before: KubeObject | undefined, after: KubeObject | undefined): void {
    this.#entries.push({ version, ...(before ? { before } : {}), ...(after ? { after } : {}) });
    this.#wake();
  }

  /** Every watch breaks as if its connection were reset. */
  break(): void {
    this.#broken++;
    this.#wake();
  }

  async *watch(options: WatchOptions): AsyncGenerator<WatchEvent<KubeObject>, void, undefined> {
    const { signal } = options;
    const broken = this.#broken;
    const aborted = Promise.withResolvers<void>();
    const stop = (): void => aborted.resolve();
    signal?.addEventListener("abort", stop);
    try {
      let at = this.#entries.findIndex(({ version }) => version > Number(options.resourceVersion));
      if (at === -1) at = this.#entries.length;
      for (;;) {
        signal?.throwIfAborted();
        if (broken !== this.#broken) throw new ConnectionError("watch", "fake", "KUBE_CUT", "the connection was reset");
        const entry = this.#entries[at];
        if (entry === undefined) {
          await Promise.race([this.#changed.promise, aborted.promise]);
          continue;
        }
        at++;
        const event = eventOf(entry, options);
        if (event) yield structuredClone(event);
      }
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** What a watch with these selectors sees: an object that leaves the selection is deleted for it. */
function eventOf({ version, before, after }: Entry, options: WatchOptions): WatchEvent<KubeObject> | undefined {
  const { namespace, labelSelector, fieldSelector } = options;
  const isSelected = (object: KubeObject | undefined): object is KubeObject =>
    object !== undefined &&
    (namespace === undefined || object.metadata.namespace === namespace) &&
    matches(object, labelSelector, fieldSelector);
  if (isSelected(after)) return { type: isSelected(before) ? "MODIFIED" : "ADDED", object: after };
  if (!isSelected(before)) return undefined;
  const object = after ?? before;
  return { type: "DELETED", object: { ...object, metadata: { ...object.metadata, resourceVersion: `${version}` } } };
}
