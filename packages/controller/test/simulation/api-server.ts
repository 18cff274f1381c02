// SPDX-License-Identifier: Apache-2.0
import { ApiError, type KubeObject, type List, type Patch, type Resource } from "@hot/kube";
import type { Pod, SidecarSet } from "@hot/spec";
import { merged } from "./merge.ts";

export type Stored = KubeObject & { spec?: unknown; status?: unknown };

/** One change of one object: the history that watches read. */
export interface Commit {
  readonly plural: string;
  readonly key: string;
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly before: Stored | undefined;
  /** Of a deletion: the last state, with the version of the deletion. */
  readonly object: Stored;
}

interface Table {
  readonly objects: Map<string, Stored>;
  readonly history: Commit[];
  /** Watches from before this version are answered by 410. */
  floor: number;
}

/**
 * The API server: every change makes one new version of one object, in one order for all; a version that a patch names
 * has to be the present one; a status and a spec are written apart; generations count changes of the spec. Objects are
 * never changed, so every old state stays readable. Answers at once: delays and faults are the connection's.
 */
export class ApiServer {
  version = 1000;
  /** What a webhook makes of a change of a pod. */
  rewrite: (before: Pod, wished: Pod) => Pod = (_, wished) => wished;
  readonly #tables = new Map<string, Table>();
  readonly #listeners: ((commit: Commit) => void)[] = [];

  onCommit(listener: (commit: Commit) => void): void {
    this.#listeners.push(listener);
  }

  table(plural: string): Table {
    const known = this.#tables.get(plural);
    if (known !== undefined) return known;
    const table: Table = { objects: new Map(), history: [], floor: 0 };
    this.#tables.set(plural, table);
    return table;
  }

  pod(key: string): Pod | undefined {
    return this.table("pods").objects.get(key) as Pod | undefined;
  }

  pods(): Pod[] {
    return [...this.table("pods").objects.values()] as Pod[];
  }

  sidecarSet(name: string): SidecarSet | undefined {
    return this.table("sidecarsets").objects.get(name) as SidecarSet | undefined;
  }

  get(plural: string, key: string): Stored {
    return this.table(plural).objects.get(key) ?? refuse(`get ${plural} ${key}`, 404, "NotFound");
  }

  list({ plural }: Resource): List<Stored> {
    return { metadata: { resourceVersion: String(this.version) }, items: [...this.table(plural).objects.values()] };
  }

  /** As it was before the last so many changes of it. */
  listBefore(resource: Resource, changes: number): List<Stored> {
    const { plural } = resource;
    const { history, floor } = this.table(plural);
    const past = history.slice(0, Math.max(1, history.length - changes));
    const version = past.at(-1)?.version ?? this.version;
    if (version < floor) return this.list(resource);
    const objects = new Map<string, Stored>();
    for (const { key, object, type } of past) {
      if (type === "DELETED") objects.delete(key);
      else objects.set(key, object);
    }
    return { metadata: { resourceVersion: String(version) }, items: [...objects.values()] };
  }

  /** Past changes after a version. */
  since(plural: string, version: number): readonly Commit[] {
    const { history, floor } = this.table(plural);
    if (version < floor) refuse(`watch ${plural}`, 410, "Expired");
    return history.filter((one) => one.version > version);
  }

  /** What has been so far is forgotten. */
  compact(): void {
    for (const table of this.#tables.values()) table.floor = this.version;
  }

  patch(plural: string, key: string, { type, body }: Patch, subresource: string | undefined): Stored {
    const before = this.get(plural, key);
    const wanted = (body as Partial<KubeObject>).metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== before.metadata.resourceVersion) {
      refuse(`patch ${plural} ${key}`, 409, "Conflict");
    }
    return this.put(plural, key, merged(before, body, type === "strategic"), subresource === "status");
  }

  /** Stores a state of an object; `status`: only that part of it. Nothing happens if nothing changes. */
  put(plural: string, key: string, wished: Stored, status = false): Stored {
    const { objects } = this.table(plural);
    const before = objects.get(key);
    const isPodEdit = plural === "pods" && !status && before !== undefined;
    const { status: _, ...rest } = isPodEdit ? this.rewrite(before as Pod, wished as Pod) : wished;
    const after: Stored = before === undefined ? wished : status ? { ...before, status: wished.status } : rest;
    if (before !== undefined && !status && before.status !== undefined) after.status = before.status;
    const parts = new Set([...Object.keys(before ?? {}), ...Object.keys(after)]) as Set<keyof Stored>;
    if (before !== undefined && [...parts].every((part) => before[part] === after[part])) return before;
    const version = ++this.version;
    const { generation = 1 } = before?.metadata ?? {};
    const object: Stored = {
      ...after,
      metadata: {
        ...after.metadata,
        resourceVersion: String(version),
        generation: before !== undefined && before.spec !== after.spec ? generation + 1 : generation,
      },
    };
    objects.set(key, object);
    this.#tell({ plural, key, version, type: before === undefined ? "ADDED" : "MODIFIED", before, object });
    return object;
  }

  create(plural: string, key: string, object: Stored): Stored {
    if (this.table(plural).objects.has(key)) refuse(`create ${plural} ${key}`, 409, "AlreadyExists");
    const uid = `uid-${plural}-${this.version}`;
    return this.put(plural, key, { ...structuredClone(object), metadata: { ...object.metadata, uid } });
  }

  /** As a client does it: with what it believes the object to be. */
  remove(plural: string, key: string, { uid, resourceVersion }: { uid?: string; resourceVersion?: string }): void {
    const { metadata } = this.get(plural, key);
    const isSame =
      (uid ?? metadata.uid) === metadata.uid &&
      (resourceVersion ?? metadata.resourceVersion) === metadata.resourceVersion;
    if (!isSame) refuse(`delete ${plural} ${key}`, 409, "Conflict");
    this.delete(plural, key);
  }

  delete(plural: string, key: string): void {
    const { objects } = this.table(plural);
    const before = objects.get(key);
    if (before === undefined) return;
    objects.delete(key);
    const version = ++this.version;
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
    this.#tell({ plural, key, version, type: "DELETED", before, object });
  }

  #tell(commit: Commit): void {
    this.table(commit.plural).history.push(commit);
    for (const listener of this.#listeners) listener(commit);
  }
}

export function refuse(what: string, status: number, reason: string): never {
  throw new ApiError(what, status, { kind: "Status", reason, message: reason, code: status });
}
