// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { convertEvent } from "./event-rules.ts";
import { internalError } from "./failure.ts";
import { type ApiObject, at, copy, isJsonObject, type JsonObject, textAt } from "./object.ts";
import type { Registry } from "./registry.ts";
import { apiVersionOf, type ResourceType } from "./resource-type.ts";
import { applyDefaults, prune } from "./schema.ts";
import { callWebhook } from "./webhook-call.ts";

const TIMEOUT_SECONDS = 30;

/** Moves objects between the versions of their kind, through the definition's conversion webhook if it has one. */
export class Converter {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  async convert(type: ResourceType, object: ApiObject, version: string): Promise<ApiObject> {
    const [converted] = await this.convertAll(type, [object], version);
    return converted ?? object;
  }

  /** In the order of the input; objects that already have the version are returned as they are. */
  async convertAll(type: ResourceType, objects: readonly ApiObject[], version: string): Promise<ApiObject[]> {
    return this.#convertTo(type, objects, apiVersionOf(type.group, version));
  }

  /** In the version in which its kind is stored. */
  async toStorage(type: ResourceType, object: ApiObject): Promise<ApiObject> {
    const [converted] = await this.#convertTo(type, [object], type.storage.apiVersion);
    return converted ?? object;
  }

  async #convertTo(type: ResourceType, objects: readonly ApiObject[], wanted: string): Promise<ApiObject[]> {
    const others = objects.filter(({ apiVersion }) => apiVersion !== wanted);
    if (others.length === 0) return [...objects];
    if (!type.custom) return objects.map((object) => convertEvent(object, wanted));
    const definition = this.#registry.definition(type);
    const byWebhook = at(definition, "spec", "conversion", "strategy") === "Webhook";
    const converted = byWebhook
      ? await review(definition, others, wanted)
      : others.map((object) => Object.assign(copy(object), { apiVersion: wanted }));
    const schema = type.versions.find(({ name }) => apiVersionOf(type.group, name) === wanted)?.schema;
    const results = converted.map((object): ApiObject => {
      if (!schema) return object;
      const fitting = prune(object, schema, []) as ApiObject;
      applyDefaults(fitting, schema);
      return fitting;
    });
    return objects.map((object) => (object.apiVersion === wanted ? object : (results.shift() ?? object)));
  }
}

async function review(definition: unknown, objects: ApiObject[], desiredAPIVersion: string): Promise<ApiObject[]> {
  const uid = randomUUID();
  const request = { uid, desiredAPIVersion, objects };
  const subject = `conversion webhook for ${objects[0]?.apiVersion}, Kind=${objects[0]?.kind} failed`;
  const webhook = at(definition, "spec", "conversion", "webhook", "clientConfig");
  let answer: JsonObject;
  try {
    answer = await callWebhook(
      webhook,
      { apiVersion: "apiextensions.k8s.io/v1", kind: "ConversionReview", request },
      TIMEOUT_SECONDS,
    );
  } catch (error) {
    throw internalError(`${subject}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (at(answer, "response", "uid") !== uid) throw internalError(`${subject}: the answer is for another request`);
  if (textAt(answer, "response", "result", "status") !== "Success") {
    throw internalError(`${subject}: ${textAt(answer, "response", "result", "message") ?? "no reason was given"}`);
  }
  const converted = at(answer, "response", "convertedObjects");
  if (!Array.isArray(converted) || converted.length !== objects.length) {
    throw internalError(`${subject}: expected ${objects.length} converted objects`);
  }
  return objects.map((object, index) => accept(object, converted[index], desiredAPIVersion, subject));
}

/** A conversion may change labels and annotations, nothing else of the metadata. */
function accept(object: ApiObject, converted: unknown, desired: string, subject: string): ApiObject {
  const metadata = at(converted, "metadata");
  if (
    !isJsonObject(converted) ||
    !isJsonObject(metadata) ||
    converted.apiVersion !== desired ||
    converted.kind !== object.kind
  ) {
    throw internalError(`${subject}: a converted object is not of ${desired}, Kind=${object.kind}`);
  }
  for (const name of ["name", "namespace", "uid"] as const) {
    if (metadata[name] !== object.metadata[name]) throw internalError(`${subject}: metadata.${name} was changed`);
  }
  const { labels: _labels, annotations: _annotations, ...fixed } = object.metadata;
  const { labels, annotations } = metadata;
  return {
    ...converted,
    metadata: {
      ...fixed,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  } as ApiObject;
}
