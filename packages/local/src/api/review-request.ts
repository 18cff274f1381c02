// SPDX-License-Identifier: Apache-2.0
import type { ReviewEnvironment } from "./admission.ts";
import type { Attributes } from "./admission-review.ts";
import type { Call, Context } from "./call.ts";
import { decode } from "./decode.ts";
import type { ApiObject } from "./object.ts";
import { keyOf } from "./store.ts";

/** The request as webhooks see it. */
export function attributesOf(
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

/** What the webhooks of this request are run with. */
export function reviewEnvironment(context: Context, call: Call): ReviewEnvironment {
  return {
    store: context.store,
    converter: context.converter,
    warn: call.warn,
    decode: (object: ApiObject) => decode(call.resolved, object, "Ignore", call.warn),
  };
}
