// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import type { Call } from "./call.ts";
import type { ApiObject } from "./object.ts";

/**
 * What an update may change. The main resource leaves the status alone, `/status` leaves everything else alone (built-in
 * kinds take labels and annotations there too); identity, deletion and generation are the server's.
 */
export function prepareUpdate(
  { resolved: { type, version }, subresource }: Call,
  wish: ApiObject,
  old: ApiObject,
): ApiObject {
  const object = subresource === "status" ? statusOnly(wish, old, type.custom) : wish;
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, resourceVersion } =
    old.metadata;
  for (const name of [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "resourceVersion",
  ] as const) {
    delete object.metadata[name];
  }
  Object.assign(
    object.metadata,
    defined({ uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, resourceVersion }),
  );
  if (subresource !== "status") {
    if (version.status) {
      if (old.status === undefined) delete object.status;
      else object.status = old.status;
    }
    type.prepareUpdate?.(object, old);
  }
  if (type.generation && !isDeepStrictEqual(counted(object, version.status), counted(old, version.status))) {
    object.metadata.generation = (generation ?? 0) + 1;
  }
  return object;
}

function statusOnly(wish: ApiObject, old: ApiObject, custom: boolean): ApiObject {
  const { labels, annotations } = wish.metadata;
  const { labels: _labels, annotations: _annotations, ...fixed } = old.metadata;
  const metadata = custom ? { ...old.metadata } : { ...fixed, ...defined({ labels, annotations }) };
  const { status: _status, ...rest } = old;
  return { ...rest, metadata, ...(wish.status === undefined ? {} : { status: wish.status }) };
}

/** What the generation counts: everything but metadata and, where it is a subresource, the status. */
function counted(object: ApiObject, statusIsSubresource: boolean): unknown {
  const { metadata: _metadata, status, ...rest } = object;
  return JSON.parse(JSON.stringify(statusIsSubresource ? rest : { ...rest, status }));
}

function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
