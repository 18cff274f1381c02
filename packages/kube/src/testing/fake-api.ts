// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import type { Api, KubeObject, List, Patch, Resource, WatchEvent } from "../api.ts";
import { ApiError } from "../api-error.ts";
import { systemClock, type Clock } from "../clock.ts";
import { describeTarget } from "../resource-path.ts";
import { objectKey } from "../resources.ts";
import { applyPatch, PatchError } from "./apply-patch.ts";
import { EventLog } from "./event-log.ts";
import { Faults, type Call } from "./faults.ts";
import { matches } from "./selector.ts";

type Stored = KubeObject & { spec?: unknown; status?: unknown };

interface Table {
  objects: Map<string, Stored>;
  log: EventLog;
}

/**
 * An API server in memory, for unit tests: versions, uid, generation, conflicts, watches, and faults on demand. It has
 * no defaults, no validation, no admission, no paging and no grace period.
 *
 * @example
 * const api = new FakeApi();
 * const pod = api.seed(RESOURCES.pods, { metadata: { name: "web-0", namespace: "default" }, status: {} });
 * api.faults.loseNextAnswer({ verb: "patch" });
 */
export class FakeApi implements Api {
  readonly faults = new Faults();
  /** Every call that has arrived, also those that failed. */
  readonly calls: Call[] = [];
  readonly #tables = new Map<string, Table>();
  readonly #clock: Clock;
  #version = 1000;
  #uids = 0;

  constructor({ clock = systemClock }: { clock?: Clock } = {}) {
    this.#clock = clock;
  }

  /** Stores an object as it is, status included, whatever was there; watches see it. */
  seed<T extends object>(resource: Resource, object: T): T & KubeObject {
    const { objects } = this.#table(resource);
    const copy = structuredClone(object) as unknown as Stored;
    const before = objects.get(objectKey(copy));
    copy.metadata.uid ??= before?.metadata.uid ?? `uid-${++this.#uids}`;
    copy.metadata.generation ??= 1;
    return this.#store(resource, before, copy) as T & KubeObject;
  }

  /** Every watch breaks as if its connection were reset. */
  breakWatches(): void {
    for (const { log } of this.#tables.values()) log.break();
  }

  async get<T = KubeObject>(resource: Resource, name: string, options: Parameters<Api["get"]>[2] = {}): Promise<T> {
    const call: Call = { verb: "get", resource, name, ...options };
    return this.#call(call, () => this.#find(call)) as Promise<T>;
  }

  async list<T = KubeObject>(resource: Resource, options: Parameters<Api["list"]>[1] = {}): Promise<List<T>> {
    const { namespace, labelSelector, fieldSelector } = options;
    const items = await this.#call({ verb: "list", resource, namespace }, () =>
      [...this.#table(resource).objects.values()].filter(
        (object) =>
          (namespace === undefined || object.metadata.namespace === namespace) &&
          matches(object, labelSelector, fieldSelector),
      ),
    );
    return { metadata: { resourceVersion: String(this.#version) }, items: items as T[] };
  }

  async *watch<T = KubeObject>(resource: Resource, options: Parameters<Api["watch"]>[1]) {
    const { namespace } = options;
    const events = await this.faults.around(this.#note({ verb: "watch", resource, namespace }), () =>
      this.#table(resource).log.watch(options),
    );
    yield* events as AsyncGenerator<WatchEvent<T>>;
  }

  async create<T = KubeObject>(resource: Resource, body: object, options: Parameters<Api["create"]>[2] = {}) {
    const { status: _, ...object } = structuredClone(body) as Stored & { metadata: { generateName?: string } };
    const { metadata } = object;
    const namespace = metadata.namespace ?? options.namespace;
    if (namespace !== undefined) metadata.namespace = namespace;
    metadata.name ??= `${metadata.generateName ?? ""}${++this.#uids}`;
    const call: Call = { verb: "create", resource, namespace, name: metadata.name, body };
    return this.#call(call, () => {
      if (this.#table(resource).objects.has(objectKey(object))) refuse(call, 409, "AlreadyExists", "it exists already");
      Object.assign(metadata, {
        uid: `uid-${++this.#uids}`,
        generation: 1,
        creationTimestamp: new Date(this.#clock.now()).toISOString().replace(/\.\d+/, ""),
      });
      return this.#store(resource, undefined, object);
    }) as Promise<T>;
  }

  async update<T = KubeObject>(resource: Resource, body: object, options: Parameters<Api["update"]>[2] = {}) {
    const { metadata } = body as KubeObject;
    const call: Call = {
      verb: "update",
      resource,
      ...options,
      namespace: metadata.namespace,
      name: metadata.name,
      body,
    };
    return this.#call(call, () => this.#write(call, structuredClone(body) as Stored)) as Promise<T>;
  }

  async patch<T = KubeObject>(
    resource: Resource,
    name: string,
    patch: Patch,
    options: Parameters<Api["patch"]>[3] = {},
  ) {
    const call: Call = { verb: "patch", resource, ...options, name, body: patch };
    return this.#call(call, () => {
      try {
        return this.#write(call, applyPatch(this.#find(call), patch) as unknown as Stored);
      } catch (error) {
        if (error instanceof PatchError) refuse(call, 422, "Invalid", error.message);
        throw error;
      }
    }) as Promise<T>;
  }

  async delete(resource: Resource, name: string, options: Parameters<Api["delete"]>[2] = {}): Promise<unknown> {
    const call: Call = { verb: "delete", resource, namespace: options.namespace, name, body: options };
    return this.#call(call, () => {
      const before = this.#find(call);
      const { uid, resourceVersion } = { ...before.metadata, ...options.preconditions };
      if (uid !== before.metadata.uid || resourceVersion !== before.metadata.resourceVersion) {
        refuse(call, 409, "Conflict", "the precondition failed");
      }
      this.#table(resource).objects.delete(objectKey(before));
      this.#table(resource).log.append(++this.#version, before, undefined);
      return before;
    });
  }

  #note(call: Call): Call {
    this.calls.push(call);
    return call;
  }

  /** Answers are copies, so that changing one does not change the cluster. */
  async #call<T>(call: Call, carryOut: () => T): Promise<T> {
    return structuredClone(
      await this.faults.around(this.#note(structuredClone({ ...call, signal: undefined })), carryOut),
    );
  }

  #table({ group, plural }: Resource): Table {
    const key = `${group}/${plural}`;
    const table = this.#tables.get(key) ?? { objects: new Map<string, Stored>(), log: new EventLog() };
    this.#tables.set(key, table);
    return table;
  }

  #find(call: Call): Stored {
    const { resource, name, namespace } = call;
    const key = resource.namespaced ? `${namespace}/${name}` : `${name}`;
    return this.#table(resource).objects.get(key) ?? refuse(call, 404, "NotFound", "there is no such object");
  }

  #write(call: Call, wished: Stored): Stored {
    const before = this.#find(call);
    const { uid, resourceVersion, generation = 1 } = before.metadata;
    const stale = wished.metadata.resourceVersion !== undefined && wished.metadata.resourceVersion !== resourceVersion;
    if (stale || (wished.metadata.uid ?? uid) !== uid) {
      refuse(call, 409, "Conflict", "the object has been modified; please apply your changes to the latest version");
    }
    const { status, ...rest } = call.subresource === "status" ? { ...before, status: wished.status } : wished;
    const kept = call.subresource === "status" ? status : before.status;
    const after: Stored = { ...rest, ...(kept === undefined ? {} : { status: kept }) };
    const changed = !isDeepStrictEqual(before.spec, after.spec);
    after.metadata = { ...after.metadata, generation: changed ? generation + 1 : generation };
    if (resourceVersion !== undefined) after.metadata.resourceVersion = resourceVersion;
    if (uid !== undefined) after.metadata.uid = uid;
    // As the real one: a write that changes nothing makes no new version.
    return isDeepStrictEqual(before, after) ? before : this.#store(call.resource, before, after);
  }

  #store(resource: Resource, before: Stored | undefined, after: Stored): Stored {
    const { objects, log } = this.#table(resource);
    const version = ++this.#version;
    after.metadata = { ...after.metadata, resourceVersion: String(version) };
    objects.set(objectKey(after), after);
    log.append(version, before, after);
    return after;
  }
}

function refuse(call: Call, status: number, reason: string, message: string): never {
  throw new ApiError(`${call.verb} ${describeTarget(call)}`, status, { kind: "Status", reason, message, code: status });
}
