// SPDX-License-Identifier: Apache-2.0
import type { Context } from "./call.ts";
import { removeNow } from "./deletion.ts";
import { type ApiObject, copy } from "./object.ts";
import { CRD_COLLECTION } from "./registry.ts";
import { collectionOf, type ResourceType } from "./resource-type.ts";
import { keyOf, type StoreEvent } from "./store.ts";

/**
 * What a cluster's controllers do after a deletion: dependents of owners that are gone are deleted (or orphaned, or first,
 * by the owner's finalizer), a terminating namespace is emptied and then removed, instances go with their definition.
 * Works in turns of its own after each change, so a writer never waits for it.
 */
export function startCollectors(context: Context): { stop(): void } {
  const { store } = context;
  const pending: StoreEvent[] = [];
  let scheduled: NodeJS.Immediate | undefined;
  const run = (): void => {
    scheduled = undefined;
    for (const event of pending.splice(0)) react(context, event);
  };
  const unsubscribe = store.subscribe((event) => {
    pending.push(event);
    scheduled ??= setImmediate(run);
  });
  return {
    stop() {
      unsubscribe();
      clearImmediate(scheduled);
    },
  };
}

function react(context: Context, { type: change, collection, key, object }: StoreEvent): void {
  const { store, registry } = context;
  const present = store.get(collection, key);
  if (change === "DELETED") {
    for (const { type, dependent } of dependents(context, object.metadata.uid))
      collectIfOwnerless(context, type, dependent);
    if (collection === CRD_COLLECTION) dropInstances(context, object);
    finishOwners(context, object);
    finishNamespace(context, object.metadata.namespace);
    return;
  }
  const type = registry.byCollection(collection);
  if (!present || !type || present.metadata.uid !== object.metadata.uid) return;
  if (change === "ADDED") collectIfOwnerless(context, type, present);
  if (!present.metadata.deletionTimestamp) return;
  if (collection === "/namespaces") {
    empty(context, present.metadata.name ?? "");
    finishNamespace(context, present.metadata.name);
  }
  if (present.metadata.finalizers?.includes("orphan")) orphan(context, type, present);
  else if (present.metadata.finalizers?.includes("foregroundDeletion")) deleteDependentsFirst(context, type, present);
}

interface Dependent {
  type: ResourceType;
  dependent: ApiObject;
}

function* everything({ store, registry }: Context): Generator<{ type: ResourceType; object: ApiObject }> {
  for (const { collection, object } of store.all()) {
    const type = registry.byCollection(collection);
    if (type) yield { type, object };
  }
}

function dependents(context: Context, uid: string | undefined): Dependent[] {
  const found: Dependent[] = [];
  for (const { type, object } of everything(context)) {
    if (object.metadata.ownerReferences?.some((owner) => owner.uid === uid)) found.push({ type, dependent: object });
  }
  return found;
}

/** An object all of whose owners are gone is garbage. */
function collectIfOwnerless(context: Context, type: ResourceType, object: ApiObject): void {
  const owners = object.metadata.ownerReferences ?? [];
  if (owners.length === 0 || object.metadata.deletionTimestamp) return;
  const wanted = new Set(owners.map(({ uid }) => uid));
  for (const { object: owner } of everything(context)) if (wanted.has(owner.metadata.uid ?? "")) return;
  removeNow(context, type, object, {});
}

function orphan(context: Context, type: ResourceType, owner: ApiObject): void {
  for (const { type: kind, dependent } of dependents(context, owner.metadata.uid)) {
    const object = copy(dependent);
    object.metadata.ownerReferences =
      object.metadata.ownerReferences?.filter(({ uid }) => uid !== owner.metadata.uid) ?? [];
    context.store.update(kind.storage.collection, object, dependent);
  }
  dropFinalizer(context, type, owner, "orphan");
}

function deleteDependentsFirst(context: Context, type: ResourceType, owner: ApiObject): void {
  const found = dependents(context, owner.metadata.uid);
  for (const { type: kind, dependent } of found) {
    if (!dependent.metadata.deletionTimestamp) removeNow(context, kind, dependent, {});
  }
  if (dependents(context, owner.metadata.uid).length === 0) dropFinalizer(context, type, owner, "foregroundDeletion");
}

/** A dependent is gone: an owner that waits for it may go too. */
function finishOwners(context: Context, dependent: ApiObject): void {
  const owners = new Set(dependent.metadata.ownerReferences?.map(({ uid }) => uid));
  for (const { type, object } of owners.size === 0 ? [] : [...everything(context)]) {
    if (owners.has(object.metadata.uid ?? "") && object.metadata.finalizers?.includes("foregroundDeletion"))
      deleteDependentsFirst(context, type, object);
  }
}

function dropFinalizer(context: Context, type: ResourceType, stored: ApiObject, finalizer: string): void {
  const object = copy(stored);
  const finalizers = object.metadata.finalizers?.filter((one) => one !== finalizer) ?? [];
  object.metadata.finalizers = finalizers;
  const updated = context.store.update(type.storage.collection, object, stored);
  if (finalizers.length === 0) removeNow(context, type, updated, {});
}

function dropInstances(context: Context, definition: ApiObject): void {
  const [plural, ...group] = (definition.metadata.name ?? "").split(".");
  const collection = collectionOf({ group: group.join("."), plural: plural ?? "" });
  for (const object of context.store.list(collection)) context.store.remove(collection, object);
}

function empty(context: Context, namespace: string): void {
  for (const { type, object } of everything(context)) {
    if (object.metadata.namespace === namespace && !object.metadata.deletionTimestamp)
      removeNow(context, type, object, {});
  }
}

function finishNamespace(context: Context, name: string | undefined): void {
  const namespace = context.store.get("/namespaces", keyOf(undefined, name ?? ""));
  if (!namespace?.metadata.deletionTimestamp || (namespace.metadata.finalizers ?? []).length > 0) return;
  for (const { object } of everything(context)) if (object.metadata.namespace === name) return;
  context.store.remove("/namespaces", namespace);
}
