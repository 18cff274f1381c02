// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { mutate, validate } from "./admission.ts";
import type { Call, Context } from "./call.ts";
import { decode } from "./decode.ts";
import { badRequest, conflict, fieldInvalid, invalid, modified, notFound } from "./failure.ts";
import { type ApiObject, copy } from "./object.ts";
import { placeInNamespace, problemsOf, refuse } from "./object-checks.ts";
import { attributesOf, reviewEnvironment } from "./review-request.ts";
import { keyOf, StaleWrite } from "./store.ts";
import { prepareUpdate } from "./update-rules.ts";

const ATTEMPTS = 5;

/**
 * PUT and PATCH: `next` makes the wished object from the present one and is called again when somebody else's write came
 * between. A resourceVersion in the wish is a precondition (409), as is a uid.
 */
export async function update(
  context: Context,
  call: Call,
  next: (current: ApiObject) => ApiObject,
): Promise<ApiObject> {
  const { type, version } = call.resolved;
  const [collection, name] = [type.storage.collection, call.name ?? ""];
  for (let attempt = 1; ; attempt++) {
    const stored = context.store.get(collection, keyOf(call.namespace, name));
    if (!stored) throw notFound(type, name);
    const current = await context.converter.convert(type, stored, version.name);
    const object = await admitted(context, call, current, next(copy(current)));
    const storable = await context.converter.toStorage(type, object);
    if (call.dryRun) return object;
    try {
      return await context.converter.convert(type, commit(context, collection, storable, stored), version.name);
    } catch (error) {
      if (!(error instanceof StaleWrite)) throw error;
      if (attempt === ATTEMPTS) throw modified(type, name);
    }
  }
}

async function admitted(context: Context, call: Call, current: ApiObject, raw: ApiObject): Promise<ApiObject> {
  const { type } = call.resolved;
  const wish = decode(call.resolved, raw, call.fieldValidation, call.warn);
  placeInNamespace(wish, call);
  const { uid, resourceVersion } = wish.metadata;
  const name = call.name ?? "";
  checkName(wish, name);
  if (uid !== undefined && uid !== current.metadata.uid) {
    throw conflict(
      type,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`,
    );
  }
  if (resourceVersion === undefined && !type.unconditionalUpdate) {
    throw invalid(type, name, [fieldInvalid("metadata.resourceVersion", 0, "must be specified for an update")]);
  }
  if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) throw modified(type, name);
  wish.metadata.resourceVersion = current.metadata.resourceVersion ?? "";
  const reviewed =
    (await mutate(attributesOf(context, call, "UPDATE", wish, current), reviewEnvironment(context, call))) ?? wish;
  if (reviewed.metadata.name !== name)
    refuse(call, current, [fieldInvalid("metadata.name", reviewed.metadata.name, "field is immutable")]);
  const object = prepareUpdate(call, copy(reviewed), current);
  refuse(call, object, problemsOf(call, object, current));
  await validate(attributesOf(context, call, "UPDATE", object, current), reviewEnvironment(context, call));
  return object;
}

function checkName({ metadata }: ApiObject, name: string): void {
  if (metadata.name === undefined) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
  if (metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
}

/** Stores the object; nothing happens if nothing changed; an object without finalizers that waited for deletion goes. */
function commit({ store }: Context, collection: string, object: ApiObject, stored: ApiObject): ApiObject {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  if (
    deletionTimestamp &&
    deletionGracePeriodSeconds === 0 &&
    finalizers.length === 0 &&
    (stored.metadata.finalizers ?? []).length > 0
  ) {
    return store.remove(collection, store.update(collection, object, stored));
  }
  const wish = { ...object, metadata: { ...object.metadata, resourceVersion: stored.metadata.resourceVersion } };
  return isDeepStrictEqual(JSON.parse(JSON.stringify(wish)), stored)
    ? stored
    : store.update(collection, object, stored);
}
