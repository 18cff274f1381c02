// SPDX-License-Identifier: Apache-2.0
import { type ApiObject, deepFreeze } from "./object.ts";
import { expired } from "./failure.ts";

export interface StoreEvent {
  type: "ADDED" | "MODIFIED" | "DELETED";
  revision: number;
  collection: string;
  key: string;
  /** The object after the change; for DELETED the last state, with the revision of the deletion. */
  object: ApiObject;
  previous: ApiObject | undefined;
}

/** `namespace/name`; cluster-scoped objects have an empty namespace. Lists are ordered by it. */
export const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ""}/${name}`;

/** Why a write did not happen: somebody else's write came first. */
export class StaleWrite extends Error {}

/**
 * Objects by collection, in memory. Guarantees: one revision counter for all collections, strictly increasing, one step
 * per change; every change is announced to the listeners in this order and before the write returns; stored objects are
 * frozen; a write names the revision that it is based on and fails with {@link StaleWrite} if that is not the present one.
 */
export class Store {
  #revision = 1;
  #oldest = 1;
  readonly #collections = new Map<string, Map<string, ApiObject>>();
  readonly #history: StoreEvent[] = [];
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  readonly #historySize: number;

  /** @param historySize changes that a watch can go back; older ones answer 410. */
  constructor(historySize = 5000) {
    this.#historySize = historySize;
  }

  get revision(): number {
    return this.#revision;
  }

  get(collection: string, key: string): ApiObject | undefined {
    return this.#collections.get(collection)?.get(key);
  }

  /** All objects of a collection, ordered by key. */
  list(collection: string): ApiObject[] {
    return sorted(this.#collections.get(collection) ?? new Map());
  }

  /** Everything there is, in no order. */
  *all(): Generator<{ collection: string; object: ApiObject }> {
    for (const [collection, objects] of this.#collections)
      for (const object of objects.values()) yield { collection, object };
  }

  /** The collection as it was at a revision; 410 when the history does not reach that far. */
  snapshot(collection: string, revision: number): ApiObject[] {
    const then = new Map(this.#collections.get(collection));
    for (const event of this.since(revision).toReversed()) {
      if (event.collection !== collection) continue;
      if (event.previous) then.set(event.key, event.previous);
      else then.delete(event.key);
    }
    return sorted(then);
  }

  /** Changes after a revision, oldest first; 410 when some of them are forgotten. */
  since(revision: number): StoreEvent[] {
    if (revision < this.#oldest) {
      throw expired(`too old resource version: ${revision} (${this.#oldest})`);
    }
    const first = this.#history.findIndex((event) => event.revision > revision);
    return first === -1 ? [] : this.#history.slice(first);
  }

  create(collection: string, object: ApiObject): ApiObject {
    const key = keyOf(object.metadata.namespace, object.metadata.name ?? "");
    if (this.get(collection, key)) throw new StaleWrite(`${key} exists`);
    return this.#put("ADDED", collection, key, object, undefined);
  }

  update(collection: string, object: ApiObject, based: ApiObject): ApiObject {
    const key = keyOf(object.metadata.namespace, object.metadata.name ?? "");
    return this.#put("MODIFIED", collection, key, object, this.#present(collection, key, based));
  }

  remove(collection: string, based: ApiObject): ApiObject {
    const key = keyOf(based.metadata.namespace, based.metadata.name ?? "");
    const previous = this.#present(collection, key, based);
    return this.#put("DELETED", collection, key, previous, previous);
  }

  /** Called for each change, synchronously, in order. Returns the function that ends it. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #present(collection: string, key: string, based: ApiObject): ApiObject {
    const present = this.get(collection, key);
    if (!present || present.metadata.resourceVersion !== based.metadata.resourceVersion) {
      throw new StaleWrite(`${key} has changed`);
    }
    return present;
  }

  #put(
    type: StoreEvent["type"],
    collection: string,
    key: string,
    object: ApiObject,
    previous: ApiObject | undefined,
  ): ApiObject {
    const revision = ++this.#revision;
    const stored = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
    const objects = this.#collections.get(collection) ?? new Map<string, ApiObject>();
    this.#collections.set(collection, objects);
    if (type === "DELETED") objects.delete(key);
    else objects.set(key, stored);
    this.#remember({ type, revision, collection, key, object: stored, previous });
    return stored;
  }

  #remember(event: StoreEvent): void {
    this.#history.push(event);
    if (this.#history.length > this.#historySize) {
      const forgotten = this.#history.shift();
      if (forgotten) this.#oldest = forgotten.revision;
    }
    for (const listener of this.#listeners) listener(event);
  }
}

function sorted(objects: Map<string, ApiObject>): ApiObject[] {
  return [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}
