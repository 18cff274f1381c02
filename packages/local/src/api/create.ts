// SPDX-License-Identifier: Apache-2.0
import { randomBytes, randomUUID } from "node:crypto";
import { mutate, validate } from "./admission.ts";
import { type Call, type Context, timestamp } from "./call.ts";
import { decode } from "./decode.ts";
import { alreadyExists, badRequest } from "./failure.ts";
import { type ApiObject, copy } from "./object.ts";
import { checkNamespace, placeInNamespace, problemsOf, refuse } from "./object-checks.ts";
import { attributesOf, reviewEnvironment } from "./review-request.ts";
import { keyOf } from "./store.ts";

/** Of the metadata, what only the server says. */
const SYSTEM_FIELDS = [
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
] as const;

/** POST: decode, mutating webhooks, defaults, checks, validating webhooks, store. Returns it in the request's version. */
export async function create(context: Context, call: Call, body: unknown): Promise<ApiObject> {
  const { type, version } = call.resolved;
  const wish = decode(call.resolved, body, call.fieldValidation, call.warn);
  placeInNamespace(wish, call);
  if (wish.metadata.resourceVersion) throw badRequest("resourceVersion should not be set on objects to be created");
  for (const name of SYSTEM_FIELDS) delete wish.metadata[name];
  checkNamespace(context, call, wish.metadata.name ?? "");
  const reviewed =
    (await mutate(attributesOf(context, call, "CREATE", wish, undefined), reviewEnvironment(context, call))) ?? wish;
  const object = copy(reviewed);
  nameAndStamp(context, object);
  if (type.generation) object.metadata.generation = 1;
  if (type.custom && version.status) delete object.status;
  type.prepareCreate?.(object);
  refuse(call, object, problemsOf(call, object, undefined));
  await validate(attributesOf(context, call, "CREATE", object, undefined), reviewEnvironment(context, call));
  const storable = await context.converter.toStorage(type, object);
  const collection = type.storage.collection;
  const name = object.metadata.name ?? "";
  if (context.store.get(collection, keyOf(object.metadata.namespace, name))) throw alreadyExists(type, name);
  checkNamespace(context, call, name);
  if (call.dryRun) return object;
  return context.converter.convert(type, context.store.create(collection, storable), version.name);
}

const LETTERS = "bcdfghjklmnpqrstvwxz2456789";

function nameAndStamp(context: Context, { metadata }: ApiObject): void {
  if (!metadata.name && metadata.generateName) {
    const suffix = [...randomBytes(5)].map((byte) => LETTERS[byte % LETTERS.length]).join("");
    metadata.name = metadata.generateName.slice(0, 58) + suffix;
  }
  metadata.uid = randomUUID();
  metadata.creationTimestamp = timestamp(context.now());
}
