// SPDX-License-Identifier: Apache-2.0
import { randomBytes, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { mutate, validate } from "./admission.ts";
import type { Attributes } from "./admission-review.ts";
import { type Call, type Context, timestamp } from "./call.ts";
import { decode } from "./decode.ts";
import {
  alreadyExists,
  badRequest,
  conflict,
  fieldForbidden,
  type FieldError,
  fieldInvalid,
  forbidden,
  invalid,
  modified,
  notFound,
} from "./failure.ts";
import { validateMeta } from "./meta-validation.ts";
import { type ApiObject, copy } from "./object.ts";
import { validateSchema } from "./schema-validation.ts";
import { keyOf, StaleWrite } from "./store.ts";
import { prepareUpdate } from "./update-rules.ts";

const ATTEMPTS = 5;

/** POST: decode, mutating webhooks, defaults, checks, validating webhooks, store. Returns it in the request's version. */
export async function create(context: Context, call: Call, body: unknown): Promise<ApiObject> {
  const { type, version } = call.resolved;
  const wish = decode(call.resolved, body, call.fieldValidation, call.warn);
  placeInNamespace(wish, call);
  if (wish.metadata.resourceVersion) throw badRequest("resourceVersion should not be set on objects to be created");
  for (const name of [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
  ] as const) {
    delete wish.metadata[name];
  }
  checkNamespace(context, call, wish.metadata.name ?? "");
  const reviewed =
    (await mutate(attributes(context, call, "CREATE", wish, undefined), environment(context, call))) ?? wish;
  const object = copy(reviewed);
  nameAndStamp(context, object);
  if (type.generation) object.metadata.generation = 1;
  if (type.custom && version.status) delete object.status;
  type.prepareCreate?.(object);
  refuse(call, object, check(call, object, undefined));
  await validate(attributes(context, call, "CREATE", object, undefined), environment(context, call));
  const storable = await context.converter.toStorage(type, object);
  const collection = type.storage.collection;
  const name = object.metadata.name ?? "";
  if (context.store.get(collection, keyOf(object.metadata.namespace, name))) throw alreadyExists(type, name);
  checkNamespace(context, call, name);
  if (call.dryRun) return object;
  return context.converter.convert(type, context.store.create(collection, storable), version.name);
}

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
    (await mutate(attributes(context, call, "UPDATE", wish, current), environment(context, call))) ?? wish;
  if (reviewed.metadata.name !== name)
    refuse(call, current, [fieldInvalid("metadata.name", reviewed.metadata.name, "field is immutable")]);
  const object = prepareUpdate(call, copy(reviewed), current);
  refuse(call, object, check(call, object, current));
  await validate(attributes(context, call, "UPDATE", object, current), environment(context, call));
  return object;
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

function check(call: Call, object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const { type, version } = call.resolved;
  const frozen = (old?.metadata.deletionTimestamp ? object.metadata.finalizers : []) ?? [];
  const added = frozen.filter((one) => !(old?.metadata.finalizers ?? []).includes(one));
  return [
    ...validateMeta(object.metadata, type.kind === "Namespace" || type.kind === "Service" ? "label" : "subdomain"),
    ...(added.length > 0
      ? [
          fieldForbidden(
            "metadata.finalizers",
            `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
          ),
        ]
      : []),
    ...(version.schema ? validateSchema(object, version.schema) : []),
    ...(call.subresource === "status" ? [] : (type.validate?.(object, old) ?? [])),
  ];
}

function refuse(call: Call, object: ApiObject, errors: FieldError[]): void {
  if (errors.length > 0) throw invalid(call.resolved.type, object.metadata.name ?? "", errors);
}

function placeInNamespace(object: ApiObject, { namespace, resolved: { type } }: Call): void {
  if (!type.namespaced) delete object.metadata.namespace;
  else if (object.metadata.namespace && object.metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  } else if (namespace !== undefined) object.metadata.namespace = namespace;
}

/** New objects need a namespace that exists and is not going away. */
function checkNamespace({ store }: Context, call: Call, name: string): void {
  if (!call.resolved.type.namespaced) return;
  const namespace = store.get("/namespaces", keyOf(undefined, call.namespace ?? ""));
  if (!namespace) throw notFound({ group: "", plural: "namespaces" }, call.namespace ?? "");
  if (namespace.metadata.deletionTimestamp) {
    throw forbidden(
      call.resolved.type,
      name,
      `unable to create new content in namespace ${call.namespace} because it is being terminated`,
      "NamespaceTerminating",
    );
  }
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

/** The request as webhooks see it. */
export function attributes(
  context: Context,
  call: Call,
  operation: Attributes["operation"],
  object: ApiObject | undefined,
  oldObject: ApiObject | undefined,
): Attributes {
  const { type, version } = call.resolved;
  const name = call.name ?? object?.metadata.name ?? "";
  const isNamespace = type.group === "" && type.plural === "namespaces";
  const namespace = isNamespace ? name : call.namespace;
  const owner = isNamespace
    ? (object ?? oldObject)
    : namespace === undefined
      ? undefined
      : context.store.get("/namespaces", keyOf(undefined, namespace));
  const namespaceLabels = namespace === undefined ? undefined : (owner?.metadata.labels ?? {});
  return {
    operation,
    type,
    version: version.name,
    subresource: call.subresource,
    name,
    namespace,
    object,
    oldObject,
    namespaceLabels,
    user: call.user,
    dryRun: call.dryRun,
  };
}

export function environment(context: Context, call: Call) {
  return {
    store: context.store,
    converter: context.converter,
    warn: call.warn,
    decode: (object: ApiObject) => decode(call.resolved, object, "Ignore", call.warn),
  };
}
