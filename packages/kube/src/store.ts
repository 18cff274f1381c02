// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from "./api.ts";
import { isOlder, isOlderOrSame } from "./resource-version.ts";
import { objectKey } from "./resources.ts";

/** What a reflector has seen of one resource. Reading never waits; the objects are shared, so never change them. */
export interface Store<P> {
  /** `key` as made by `objectKey`. */
  get(key: string): P | undefined;
  list(): P[];
  keys(): string[];
  readonly size: number;
}

/** One difference between what the store held and what it holds now. */
export interface Change<P> {
  type: "added" | "modified" | "deleted";
  key: string;
  /** The object now; for `deleted` its last known state. */
  object: P;
  /** What the store held before, when it held something. */
  previous?: P;
}

/** What the store holds for one object: its projection, and what tells newer from older. */
export interface Entry<P> {
  object: P;
  uid: string | undefined;
  resourceVersion: string | undefined;
}

/** The writable side of a {@link Store}: applies watch events and whole lists, and says what changed. */
export interface VersionedStore<P> {
  readonly store: Store<P>;
  set(entry: Entry<P>, key: string): Change<P>[];
  delete(object: KubeObject): Change<P>[];
  /**
   * A complete list is the truth, whatever was held before. The map is the store's from now on, at once; what has changed
   * by it is found out object by object as it is asked for, once, and nothing else may be applied before the end.
   */
  replace(entries: Map<string, Entry<P>>): Iterable<Change<P>[]>;
  /** Whether an object in this version is already known, or older than what is known. */
  isStale(object: KubeObject): boolean;
  entry(key: string): Entry<P> | undefined;
}

/** More deletions than this between two lists are not remembered. */
const MAX_TOMBSTONES = 10_000;

export function createVersionedStore<P>(): VersionedStore<P> {
  let entries = new Map<string, Entry<P>>();
  // A late event of a deleted object must not bring it back to life.
  const tombstones = new Map<string, string>();

  const bury = (key: string, resourceVersion: string | undefined): void => {
    if (resourceVersion === undefined) return;
    tombstones.delete(key);
    tombstones.set(key, resourceVersion);
    const oldest = tombstones.keys().next();
    if (tombstones.size > MAX_TOMBSTONES && !oldest.done) tombstones.delete(oldest.value);
  };

  return {
    store: {
      get: (key) => entries.get(key)?.object,
      list: () => Array.from(entries.values(), ({ object }) => object),
      keys: () => [...entries.keys()],
      get size() {
        return entries.size;
      },
    },
    entry: (key) => entries.get(key),
    isStale: (object) => {
      const key = objectKey(object);
      const known = entries.get(key)?.resourceVersion ?? tombstones.get(key);
      return isOlderOrSame(object.metadata.resourceVersion, known);
    },
    set: (entry, key) => {
      const before = entries.get(key);
      entries.set(key, entry);
      tombstones.delete(key);
      return difference(key, before, entry);
    },
    delete: (object) => {
      const key = objectKey(object);
      const before = entries.get(key);
      // The version of a deletion is at least the one of the object's last state.
      if (isOlder(object.metadata.resourceVersion, before?.resourceVersion ?? tombstones.get(key))) return [];
      entries.delete(key);
      bury(key, object.metadata.resourceVersion);
      return difference(key, before, undefined);
    },
    replace: (next) => {
      const before = entries;
      entries = next;
      tombstones.clear();
      return differences(before, next);
    },
  };
}

/** Deletions first. */
function* differences<P>(before: Map<string, Entry<P>>, after: Map<string, Entry<P>>): Generator<Change<P>[]> {
  for (const [key, entry] of before) yield after.has(key) ? [] : difference(key, entry, undefined);
  for (const [key, entry] of after) yield difference(key, before.get(key), entry);
}

function difference<P>(key: string, before: Entry<P> | undefined, after: Entry<P> | undefined): Change<P>[] {
  if (before === undefined) return after === undefined ? [] : [{ type: "added", key, object: after.object }];
  if (after === undefined) return [{ type: "deleted", key, object: before.object, previous: before.object }];
  // Deleted and created again unseen: two objects that happen to have one name.
  if (before.uid !== after.uid) {
    return [...difference(key, before, undefined), ...difference(key, undefined, after)];
  }
  if (before.resourceVersion === after.resourceVersion && before.resourceVersion !== undefined) return [];
  return [{ type: "modified", key, object: after.object, previous: before.object }];
}
