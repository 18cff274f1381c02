// SPDX-License-Identifier: Apache-2.0
import type { Call, Context } from "./call.ts";
import { badRequest, fieldInvalid, invalid, notFound, versionTooLarge } from "./failure.ts";
import { filterOf } from "./filter.ts";
import { type ApiObject, isJsonObject, type JsonObject } from "./object.ts";
import { metadataOnly, type Representation, table } from "./representation.ts";
import { apiVersionOf } from "./resource-type.ts";
import { keyOf } from "./store.ts";

export async function get(context: Context, call: Call): Promise<ApiObject> {
  const { type, version } = call.resolved;
  const stored = context.store.get(type.storage.collection, keyOf(call.namespace, call.name ?? ""));
  if (!stored) throw notFound(type, call.name ?? "");
  return context.converter.convert(type, stored, version.name);
}

/** GET on a collection. Pages (`limit`, `continue`) all show the state at the first page's resourceVersion. */
export async function list(
  context: Context,
  call: Call,
  query: URLSearchParams,
  shown: Representation,
): Promise<JsonObject> {
  const { type, version } = call.resolved;
  const { store } = context;
  const limit = Number(query.get("limit") ?? 0);
  if (!Number.isInteger(limit) || limit < 0) throw badRequest("limit must be a non-negative integer");
  const token = decodeToken(query.get("continue"));
  const exact = query.get("resourceVersionMatch") === "Exact";
  const wanted = revision(query.get("resourceVersion"));
  if (token && wanted !== undefined && wanted > 0) {
    throw invalid({ group: "", kind: "ListOptions" }, "", [
      fieldInvalid("resourceVersion", String(wanted), "must not be set with continue"),
    ]);
  }
  if (wanted !== undefined && wanted > store.revision) throw versionTooLarge(wanted, store.revision);
  const at = token?.revision ?? (exact ? wanted : undefined) ?? store.revision;
  const collection = type.storage.collection;
  const all = at === store.revision ? store.list(collection) : store.snapshot(collection, at);
  const filter = filterOf(call, query);
  const matching = all.filter(
    (object) =>
      filter(object) && (!token || keyOf(object.metadata.namespace, object.metadata.name ?? "") > token.after),
  );
  const page = limit > 0 ? matching.slice(0, limit) : matching;
  const rest = matching.length - page.length;
  const last = page.at(-1);
  const metadata = {
    resourceVersion: String(at),
    ...(rest > 0 && last
      ? { continue: encodeToken({ revision: at, after: keyOf(last.metadata.namespace, last.metadata.name ?? "") }) }
      : {}),
    ...(rest > 0 && !query.get("labelSelector") && !query.get("fieldSelector") ? { remainingItemCount: rest } : {}),
  };
  const items = await context.converter.convertAll(type, page, version.name);
  if (shown === "table")
    return table(call.resolved, items, metadata, {
      include: query.get("includeObject") ?? "Metadata",
      now: context.now(),
    });
  if (shown === "metadata") {
    return {
      kind: "PartialObjectMetadataList",
      apiVersion: "meta.k8s.io/v1",
      metadata,
      items: items.map(metadataOnly),
    };
  }
  const listed = type.custom ? items : items.map(withoutKind);
  return { kind: type.listKind, apiVersion: apiVersionOf(type.group, version.name), metadata, items: listed };
}

/** In a list of a built-in kind the items say neither version nor kind. */
function withoutKind({ apiVersion: _apiVersion, kind: _kind, ...rest }: ApiObject): JsonObject {
  return rest;
}

/** A resourceVersion of a query: undefined when unset, else a number; anything else is a 400. */
export function revision(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`invalid resource version ${JSON.stringify(text)}`);
  return Number(text);
}

interface Token {
  revision: number;
  after: string;
}

const encodeToken = (token: Token): string => Buffer.from(JSON.stringify(token)).toString("base64url");

function decodeToken(text: string | null): Token | undefined {
  if (text === null || text === "") return undefined;
  try {
    const token: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (isJsonObject(token) && typeof token.revision === "number" && typeof token.after === "string") {
      return { revision: token.revision, after: token.after };
    }
  } catch {
    // No JSON inside: answered below like every other foreign token.
  }
  throw badRequest("continue key is not valid: it does not come from this server");
}
