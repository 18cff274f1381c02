// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { applyVerdict, type Attributes, denial, review, type Verdict } from "./admission-review.ts";
import type { Converter } from "./conversion.ts";
import { type ApiFailure, badRequest, internalError } from "./failure.ts";
import { type ApiObject, type JsonObject, listAt, shown } from "./object.ts";
import { collectionOf } from "./resource-type.ts";
import type { Store } from "./store.ts";
import { WebhookCallError } from "./webhook-call.ts";
import { webhookVersion } from "./webhook-match.ts";

const GROUP = "admissionregistration.k8s.io";

export interface ReviewEnvironment {
  store: Store;
  converter: Converter;
  warn: (text: string) => void;
  /** Brings what a webhook has patched back into form: unknown fields, defaults. */
  decode: (object: ApiObject) => ApiObject;
}

/**
 * Mutating webhooks, one after the other in the order of their configurations' names. A webhook with reinvocationPolicy
 * IfNeeded is asked once more when a later one has changed the object. Returns the object as they leave it.
 */
export async function mutate(attributes: Attributes, environment: ReviewEnvironment): Promise<ApiObject | undefined> {
  const webhooks = configured(environment.store, "mutatingwebhookconfigurations", attributes);
  const invoked = new Set<JsonObject>();
  const again = new Set<JsonObject>();
  let { object } = attributes;
  for (const round of [1, 2]) {
    for (const webhook of webhooks) {
      if (round === 2 && !again.has(webhook)) continue;
      const left = await mutateOnce(webhook, Object.assign({}, attributes, { object }), environment);
      if (left !== object && !isDeepStrictEqual(left, object)) {
        for (const earlier of invoked) if (earlier !== webhook) again.add(earlier);
        object = left;
      }
      if (webhook.reinvocationPolicy === "IfNeeded") invoked.add(webhook);
    }
  }
  return object;
}

async function mutateOnce(
  webhook: JsonObject,
  attributes: Attributes,
  environment: ReviewEnvironment,
): Promise<ApiObject | undefined> {
  const { type, version } = attributes;
  const seen = webhookVersion(webhook, attributes);
  if (seen === undefined) return attributes.object;
  const asked = await inVersion(attributes, seen, environment.converter);
  const verdict = await ask(webhook, asked, seen, environment);
  if (verdict?.patch === undefined) return attributes.object;
  const name = shown(webhook.name);
  if (!asked.object)
    throw internalError(
      `admission webhook ${JSON.stringify(name)} attempted to modify the object, which is not supported for this operation`,
    );
  const patched = applyVerdict(name, asked.object, verdict.patch);
  return environment.decode(await environment.converter.convert(type, patched, version));
}

/** Validating webhooks, all at once; the first refusal in the order of names is the answer. */
export async function validate(attributes: Attributes, environment: ReviewEnvironment): Promise<void> {
  const webhooks = configured(environment.store, "validatingwebhookconfigurations", attributes);
  const answers = webhooks.map(async (webhook) => {
    const seen = webhookVersion(webhook, attributes);
    if (seen !== undefined)
      await ask(webhook, await inVersion(attributes, seen, environment.converter), seen, environment);
  });
  for (const answer of await Promise.allSettled(answers)) if (answer.status === "rejected") throw answer.reason;
}

/** The verdict, or undefined when the webhook gave none and its failurePolicy is Ignore. */
async function ask(
  webhook: JsonObject,
  attributes: Attributes,
  version: string,
  { warn }: ReviewEnvironment,
): Promise<Verdict | undefined> {
  const name = shown(webhook.name);
  if (attributes.dryRun && webhook.sideEffects !== "None" && webhook.sideEffects !== "NoneOnDryRun") {
    throw badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`);
  }
  try {
    const verdict = await review(webhook, attributes, version);
    for (const warning of verdict.warnings) warn(warning);
    if (!verdict.allowed) throw denial(name, verdict.result);
    return verdict;
  } catch (error) {
    if (!(error instanceof WebhookCallError)) throw error;
    if (webhook.failurePolicy === "Ignore") return undefined;
    throw failedCall(name, error);
  }
}

function failedCall(name: string, error: Error): ApiFailure {
  return internalError(`failed calling webhook ${JSON.stringify(name)}: ${error.message}`);
}

async function inVersion(attributes: Attributes, version: string, converter: Converter): Promise<Attributes> {
  const convert = async (object: ApiObject | undefined): Promise<ApiObject | undefined> =>
    object && converter.convert(attributes.type, object, version);
  return { ...attributes, object: await convert(attributes.object), oldObject: await convert(attributes.oldObject) };
}

/** All webhooks of a list of configurations; requests about these configurations themselves are never reviewed. */
function configured(store: Store, plural: string, { type }: Attributes): JsonObject[] {
  if (type.group === GROUP) return [];
  return store
    .list(collectionOf({ group: GROUP, plural }))
    .flatMap((configuration) => listAt(configuration, "webhooks"));
}
