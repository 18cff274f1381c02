// SPDX-License-Identifier: Apache-2.0
import { type Call, type Context, timestamp } from "./call.ts";
import { badRequest, conflict, notFound } from "./failure.ts";
import { get } from "./list.ts";
import { type ApiObject, at, isJsonObject, type JsonObject, listAt, shown, textAt } from "./object.ts";
import { keyOf } from "./store.ts";
import { update } from "./update.ts";

/** POST `pods/NAME/binding`: puts a pod on a node, once. */
export function bind(context: Context, call: Call, binding: unknown): JsonObject {
  const { type } = call.resolved;
  const name = call.name ?? "";
  const node = textAt(binding, "target", "name");
  if (node === undefined) throw badRequest("a binding needs target.name");
  const stored = context.store.get(type.storage.collection, keyOf(call.namespace, name));
  if (!stored) throw notFound(type, name);
  if (stored.metadata.deletionTimestamp)
    throw conflict(type, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  const present = textAt(stored, "spec", "nodeName");
  if (present !== undefined) throw conflict(type, name, `pod ${name} is already assigned to node "${present}"`);
  if (!call.dryRun)
    context.store.update(type.storage.collection, bound(stored, node, timestamp(context.now())), stored);
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
}

function bound(pod: ApiObject, nodeName: string, now: string): ApiObject {
  const scheduled = { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: now };
  const others = listAt(pod, "status", "conditions").filter(({ type }) => type !== "PodScheduled");
  return {
    ...pod,
    spec: { ...(isJsonObject(pod.spec) ? pod.spec : {}), nodeName },
    status: { ...(isJsonObject(pod.status) ? pod.status : {}), conditions: [...others, scheduled] },
  };
}

/** `deployments/NAME/scale` as `autoscaling/v1` Scale. */
export async function getScale(context: Context, call: Call): Promise<ApiObject> {
  return scaleOf(await get(context, call));
}

/** PUT and PATCH of the scale: `next` makes the wished Scale from the present one. */
export async function updateScale(
  context: Context,
  call: Call,
  next: (scale: ApiObject) => ApiObject,
): Promise<ApiObject> {
  const updated = await update(context, { ...call, subresource: undefined }, (object) => {
    const scale = next(scaleOf(object));
    const replicas = at(scale, "spec", "replicas") ?? 0;
    const { resourceVersion } = scale.metadata;
    return {
      ...object,
      metadata: { ...object.metadata, ...(resourceVersion ? { resourceVersion } : {}) },
      spec: { ...(isJsonObject(object.spec) ? object.spec : {}), replicas },
    };
  });
  return scaleOf(updated);
}

function scaleOf(object: ApiObject): ApiObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const labels = Object.entries(at(object, "spec", "selector", "matchLabels") ?? {});
  return JSON.parse(
    JSON.stringify({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
      spec: { replicas: at(object, "spec", "replicas") ?? 0 },
      status: {
        replicas: at(object, "status", "replicas") ?? 0,
        selector: labels.map(([key, value]) => `${key}=${shown(value)}`).join(","),
      },
    }),
  ) as ApiObject;
}
