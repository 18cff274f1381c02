// SPDX-License-Identifier: Apache-2.0
import { mutate, validate } from "./admission.ts";
import { type Call, type Context, timestamp } from "./call.ts";
import { badRequest, conflict, forbidden, modified, notFound } from "./failure.ts";
import { type ApiObject, at, copy, field, isJsonObject, textAt } from "./object.ts";
import type { ResourceType } from "./resource-type.ts";
import { keyOf, StaleWrite } from "./store.ts";
import { attributesOf, reviewEnvironment } from "./review-request.ts";

export interface DeletionOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  preconditions?: { uid?: string; resourceVersion?: string };
}

const FINALIZERS: Record<string, string | undefined> = { Orphan: "orphan", Foreground: "foregroundDeletion" };
const ATTEMPTS = 5;

/** Reads DeleteOptions from a request's body, then its query. */
export function deletionOptions(body: unknown, query: URLSearchParams): DeletionOptions & { dryRun: boolean } {
  const grace =
    at(body, "gracePeriodSeconds") ??
    (query.has("gracePeriodSeconds") ? Number(query.get("gracePeriodSeconds")) : undefined);
  const policy =
    textAt(body, "propagationPolicy") ??
    query.get("propagationPolicy") ??
    (at(body, "orphanDependents") === true ? "Orphan" : undefined);
  if (grace !== undefined && grace !== null && !(typeof grace === "number" && Number.isInteger(grace)))
    throw badRequest("gracePeriodSeconds must be an integer");
  if (policy !== undefined && !["Background", ...Object.keys(FINALIZERS)].includes(policy))
    throw badRequest(`invalid propagationPolicy: ${policy}`);
  const preconditions = at(body, "preconditions");
  const [uid, resourceVersion] = [textAt(preconditions, "uid"), textAt(preconditions, "resourceVersion")];
  const dryRun = field(body, "dryRun");
  return {
    ...(typeof grace === "number" ? { gracePeriodSeconds: Math.max(grace, 0) } : {}),
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
    preconditions: {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    dryRun: Array.isArray(dryRun) && dryRun.includes("All"),
  };
}

/**
 * DELETE. A pod on a node keeps its grace period and goes when its kubelet deletes it with 0; what has finalizers goes
 * with the last of them; a namespace after its content; everything else at once.
 */
export async function remove(
  context: Context,
  call: Call,
  options: DeletionOptions,
): Promise<{ object: ApiObject; gone: boolean }> {
  const { type, version } = call.resolved;
  const [collection, name] = [type.storage.collection, call.name ?? ""];
  for (let attempt = 1; ; attempt++) {
    const stored = context.store.get(collection, keyOf(call.namespace, name));
    if (!stored) throw notFound(type, name);
    checkPreconditions(type, stored, options);
    const current = await context.converter.convert(type, stored, version.name);
    const request = attributesOf(context, call, "DELETE", undefined, current);
    await mutate(request, reviewEnvironment(context, call));
    await validate(request, reviewEnvironment(context, call));
    try {
      const { object, gone } = removeNow(context, type, stored, options, call.dryRun);
      return { object: await context.converter.convert(type, object, version.name), gone };
    } catch (error) {
      if (!(error instanceof StaleWrite)) throw error;
      if (attempt === ATTEMPTS) throw modified(type, name);
    }
  }
}

/** The same without webhooks: for the server's own collectors, which hold the present state in hand. */
export function removeNow(
  context: Context,
  type: ResourceType,
  stored: ApiObject,
  options: DeletionOptions,
  dryRun = false,
): { object: ApiObject; gone: boolean } {
  const marked = markDeleted(context, type, stored, options);
  const { finalizers = [], deletionGracePeriodSeconds = 0 } = marked.metadata;
  const gone = finalizers.length === 0 && deletionGracePeriodSeconds === 0 && type.kind !== "Namespace";
  if (dryRun) return { object: marked, gone };
  const { store } = context;
  const collection = type.storage.collection;
  const unchanged = marked === stored;
  if (gone) return { object: store.remove(collection, stored), gone };
  return { object: unchanged ? stored : store.update(collection, marked, stored), gone };
}

function checkPreconditions(
  type: ResourceType,
  { metadata }: ApiObject,
  { preconditions: { uid, resourceVersion } = {} }: DeletionOptions,
): void {
  const name = metadata.name ?? "";
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(type, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      type,
      name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`,
    );
  }
  if (type.kind === "Namespace" && ["default", "kube-system", "kube-public"].includes(name)) {
    throw forbidden(type, name, "this namespace may not be deleted");
  }
}

/** The object with its deletion written into it; the same object when an earlier deletion already says as much. */
function markDeleted(context: Context, type: ResourceType, stored: ApiObject, options: DeletionOptions): ApiObject {
  const grace = gracePeriod(type, stored, options);
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = stored.metadata;
  const finalizer = FINALIZERS[options.propagationPolicy ?? ""];
  if (deletionTimestamp) {
    // A later deletion can only shorten the grace period of an earlier one.
    if (options.gracePeriodSeconds === undefined || grace >= deletionGracePeriodSeconds) return stored;
  }
  const object = copy(stored);
  const { metadata } = object;
  const since = deletionTimestamp
    ? Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000
    : context.now().getTime();
  metadata.deletionTimestamp = timestamp(new Date(since + grace * 1000));
  metadata.deletionGracePeriodSeconds = grace;
  if (!deletionTimestamp) {
    if (metadata.generation !== undefined) metadata.generation++;
    if (finalizer && !metadata.finalizers?.includes(finalizer))
      metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
    if (type.kind === "Namespace")
      object.status = { ...(isJsonObject(object.status) ? object.status : {}), phase: "Terminating" };
  }
  return object;
}

/** Seconds: only a pod that a kubelet may be running has any. */
function gracePeriod(type: ResourceType, object: ApiObject, options: DeletionOptions): number {
  if (type.kind !== "Pod" || textAt(object, "spec", "nodeName") === undefined) return 0;
  const phase = textAt(object, "status", "phase");
  if (phase === "Succeeded" || phase === "Failed") return 0;
  const own = at(object, "spec", "terminationGracePeriodSeconds");
  return options.gracePeriodSeconds ?? (typeof own === "number" ? own : 30);
}
