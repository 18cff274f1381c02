// SPDX-License-Identifier: Apache-2.0
import type { User } from "./admission-review.ts";
import { parseBody } from "./body.ts";
import type { Call, Context } from "./call.ts";
import { create } from "./create.ts";
import type { FieldValidation } from "./decode.ts";
import { deletionOptions, remove } from "./deletion.ts";
import { ApiFailure, badRequest, fieldNotSupported, invalid, unknownPath, unsupportedMediaType } from "./failure.ts";
import { filterOf } from "./filter.ts";
import { get, list } from "./list.ts";
import { type ApiObject, isJsonObject, type JsonObject, textAt } from "./object.ts";
import { applyPatch, patchType } from "./patch.ts";
import { decodeProtobuf, PROTOBUF } from "./protobuf.ts";
import { metadataOnly, representation, table } from "./representation.ts";
import { parseResourcePath, type ResourcePath } from "./request-path.ts";
import { apiVersionOf } from "./resource-type.ts";
import { bind, getScale, updateScale } from "./subresources.ts";
import { groupExists, NO_PAGE, staticAnswer } from "./static-routes.ts";
import { checkWatch, watch, type WatchLine } from "./watch.ts";
import { update } from "./update.ts";

export interface ApiRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  accept: string | undefined;
  contentType: string | undefined;
  user: User;
  /** The body, read when it is needed. */
  body: () => Promise<Buffer>;
  warn: (text: string) => void;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
}

export type Answer =
  | { status: number; body: JsonObject | string; contentType?: string }
  | { lines: AsyncIterable<WatchLine> };

/** The answer to one authenticated request; refusals are thrown as {@link ApiFailure}. */
export async function route(context: Context, request: ApiRequest, bookmarkMs: number): Promise<Answer> {
  const resource = parseResourcePath(request.path);
  if (!groupExists(context.registry, request.path)) return NO_PAGE;
  if (resource) return resourceAnswer(context, request, resource, bookmarkMs);
  if (request.method !== "GET") return NO_PAGE;
  return staticAnswer(context.registry, request);
}

async function resourceAnswer(
  context: Context,
  request: ApiRequest,
  path: ResourcePath,
  bookmarkMs: number,
): Promise<Answer> {
  // The legacy form of the binding subresource: the pod's name is in the body.
  const binding =
    path.group === "" && path.plural === "bindings" && path.name === undefined && request.method === "POST";
  const resolved = context.registry.find(path.group, path.version, binding ? "pods" : path.plural);
  if (!resolved || (!resolved.type.namespaced && path.namespace !== undefined)) throw unknownPath();
  if (resolved.type.namespaced && path.namespace === undefined && path.name !== undefined) throw unknownPath();
  const { query, user, warn } = request;
  const { namespace, name, subresource } = path;
  const call: Call = {
    resolved,
    namespace,
    name,
    subresource,
    user,
    warn,
    dryRun: dryRun(request),
    fieldValidation: fieldValidation(request),
  };
  if (resolved.version.deprecationWarning) warn(resolved.version.deprecationWarning);
  const content = ["POST", "PUT", "PATCH", "DELETE"].includes(request.method) ? await request.body() : Buffer.alloc(0);
  if (binding) {
    const body = json(request, content);
    return { status: 201, body: bind(context, { ...call, name: textAt(body, "metadata", "name") }, body) };
  }
  if (subresource !== undefined && subresource !== "status") return subresourceAnswer(context, request, call, content);
  if (subresource === "status" && (!resolved.version.status || !["GET", "PUT", "PATCH"].includes(request.method)))
    throw unknownPath();
  switch (`${request.method} ${name === undefined ? "all" : "one"}`) {
    case "GET all":
    case "GET one": {
      const shown = representation(request.accept);
      if (query.get("watch") === "true" || query.get("watch") === "1") {
        checkWatch(call, query);
        return { lines: watch(context, call, query, shown, { signal: request.signal, bookmarkMs }) };
      }
      if (name === undefined) return { status: 200, body: await list(context, call, query, shown) };
      return { status: 200, body: show(context, call, request, await get(context, call)) };
    }
    case "POST all": {
      if (resolved.type.namespaced && namespace === undefined) throw notAllowed();
      return { status: 201, body: show(context, call, request, await create(context, call, json(request, content))) };
    }
    case "PUT one": {
      const body = json(request, content);
      return { status: 200, body: show(context, call, request, await update(context, call, () => named(body, name))) };
    }
    case "PATCH one": {
      const type = patchType(request.contentType, resolved.type.custom);
      const patch = parseBody(content);
      return {
        status: 200,
        body: show(context, call, request, await update(context, call, (current) => applyPatch(type, current, patch))),
      };
    }
    case "DELETE one":
      return deleteOne(context, call, request, content);
    case "DELETE all":
      return deleteAll(context, call, request, content);
    default:
      throw notAllowed();
  }
}

async function subresourceAnswer(context: Context, request: ApiRequest, call: Call, content: Buffer): Promise<Answer> {
  const { type } = call.resolved;
  if (!type.subresources.some(({ name }) => name === call.subresource)) throw unknownPath();
  if (call.subresource === "binding" && request.method === "POST")
    return { status: 201, body: bind(context, call, json(request, content)) };
  if (call.subresource !== "scale") throw notAllowed();
  if (request.method === "GET") return { status: 200, body: await getScale(context, call) };
  if (request.method === "PUT") {
    const body = json(request, content);
    return { status: 200, body: await updateScale(context, call, () => named(body, call.name)) };
  }
  if (request.method !== "PATCH") throw notAllowed();
  const kind = patchType(request.contentType, false);
  const patch = parseBody(content);
  return { status: 200, body: await updateScale(context, call, (scale) => applyPatch(kind, scale, patch)) };
}

async function deleteOne(context: Context, call: Call, request: ApiRequest, content: Buffer): Promise<Answer> {
  const options = deletionOptions(json(request, content), request.query);
  const { object, gone } = await remove(context, { ...call, dryRun: call.dryRun || options.dryRun }, options);
  const { type } = call.resolved;
  if (!gone || type.kind === "Pod") return { status: 200, body: show(context, call, request, object) };
  const details = { name: object.metadata.name, group: type.group, kind: type.plural, uid: object.metadata.uid };
  return { status: 200, body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details } };
}

async function deleteAll(context: Context, call: Call, request: ApiRequest, content: Buffer): Promise<Answer> {
  if (call.resolved.type.namespaced && call.namespace === undefined) throw notAllowed();
  const options = deletionOptions(json(request, content), request.query);
  const { type, version } = call.resolved;
  const filter = filterOf(call, request.query);
  const items: ApiObject[] = [];
  for (const { metadata } of context.store.list(type.storage.collection).filter(filter)) {
    const { object } = await remove(
      context,
      { ...call, name: metadata.name, dryRun: call.dryRun || options.dryRun },
      options,
    );
    items.push(object);
  }
  const metadata = { resourceVersion: String(context.store.revision) };
  return {
    status: 200,
    body: { kind: type.listKind, apiVersion: apiVersionOf(type.group, version.name), metadata, items },
  };
}

function show(context: Context, call: Call, request: ApiRequest, object: ApiObject): JsonObject {
  const shown = representation(request.accept);
  if (shown === "object") return object;
  if (shown === "metadata") return metadataOnly(object);
  const { resourceVersion = "" } = object.metadata;
  return table(
    call.resolved,
    [object],
    { resourceVersion },
    { include: request.query.get("includeObject") ?? "Metadata", now: context.now() },
  );
}

/** The body of a PUT, which must be about the object in the path. */
function named(body: unknown, name: string | undefined): ApiObject {
  if (!isJsonObject(body) || !isJsonObject(body.metadata))
    throw badRequest("the body of the request is no object with metadata");
  if (body.metadata.name !== name) {
    throw badRequest(
      `the name of the object (${textAt(body, "metadata", "name") ?? ""}) does not match the name on the URL (${name})`,
    );
  }
  return body as ApiObject;
}

/** The body of a request that sends a whole object or options. */
function json({ contentType }: ApiRequest, content: Buffer): unknown {
  const type = contentType?.split(";")[0]?.trim().toLowerCase();
  if (type === PROTOBUF) return decodeProtobuf(content);
  if (type !== undefined && type !== "" && type !== "application/json") {
    throw unsupportedMediaType(
      "the body of the request was in an unknown format - accepted media types include: application/json",
    );
  }
  return parseBody(content);
}

function dryRun(request: ApiRequest): boolean {
  const values = request.query.getAll("dryRun").filter((value) => value !== "");
  if (values.some((value) => value !== "All")) throw unsupportedOption(request, "dryRun", values, ["All"]);
  return values.length > 0;
}

function fieldValidation(request: ApiRequest): FieldValidation {
  const value = request.query.get("fieldValidation") || "Warn";
  if (value !== "Ignore" && value !== "Warn" && value !== "Strict")
    throw unsupportedOption(request, "fieldValidation", value, ["", "Ignore", "Strict", "Warn"]);
  return value;
}

const OPTIONS: Record<string, string> = { POST: "Create", PUT: "Update", PATCH: "Patch", DELETE: "Delete" };

function unsupportedOption({ method }: ApiRequest, name: string, value: unknown, supported: string[]): ApiFailure {
  const kind = `${OPTIONS[method] ?? "Get"}Options`;
  return invalid({ group: "meta.k8s.io", kind }, "", [fieldNotSupported(name, value, supported)]);
}

const notAllowed = (): ApiFailure =>
  new ApiFailure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
