// SPDX-License-Identifier: Apache-2.0
import type { Call, Context } from "./call.ts";
import { ApiFailure, fieldForbidden, invalid, versionTooLarge } from "./failure.ts";
import { filterOf } from "./filter.ts";
import { revision } from "./list.ts";
import type { ApiObject, JsonObject } from "./object.ts";
import { metadataOnly, type Representation, table } from "./representation.ts";
import { apiVersionOf } from "./resource-type.ts";
import type { Store, StoreEvent } from "./store.ts";
import { WatchQueue } from "./watch-queue.ts";

export interface WatchLine {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: JsonObject;
}

interface Pending {
  type: WatchLine["type"];
  object: ApiObject;
}

const DEFAULT_TIMEOUT_SECONDS = 1800;

interface WatchEnvironment {
  signal: AbortSignal;
  bookmarkMs: number;
}

/**
 * A watch as a stream of lines. Without resourceVersion (or with "0") it begins with what exists as ADDED, else with the
 * changes after that version; one that is too old gives a single ERROR 410. An object that stops matching the selectors
 * is DELETED. Bookmarks, if asked for, come every `bookmarkMs` and at the end; it ends after `timeoutSeconds` or `signal`.
 */
export async function* watch(
  context: Context,
  call: Call,
  query: URLSearchParams,
  shown: Representation,
  environment: WatchEnvironment,
): AsyncGenerator<WatchLine> {
  const { type, version } = call.resolved;
  let columns = true;
  for await (const next of follow(context, call, query, environment)) {
    if ("status" in next) yield { type: "ERROR", object: { apiVersion: "v1", metadata: {}, ...next.status } };
    else if ("bookmark" in next) {
      yield { type: "BOOKMARK", object: bookmark(type.kind, apiVersionOf(type.group, version.name), next) };
    } else {
      const object = await context.converter.convert(type, next.object, version.name);
      yield { type: next.type, object: represent(context, call, query, shown, object, columns) };
      columns = false;
    }
  }
}

type Item = Pending | { bookmark: number; end?: boolean } | { status: ApiFailure["status"] };

async function* follow(
  { store }: Context,
  call: Call,
  query: URLSearchParams,
  { signal, bookmarkMs }: WatchEnvironment,
): AsyncGenerator<Item> {
  const collection = call.resolved.type.storage.collection;
  const filter = filterOf(call, query);
  const bookmarks = query.get("allowWatchBookmarks") === "true";
  const queue = new WatchQueue<Item>();
  const take = (event: StoreEvent): void => {
    const line = event.collection === collection ? visible(event, filter) : undefined;
    if (line) queue.push(line);
  };
  const mark = (): void => {
    if (bookmarks) queue.push({ bookmark: store.revision });
  };
  try {
    for (const item of beginning(store, collection, query, bookmarks)) {
      if ("revision" in item) take(item);
      else if (!("object" in item) || filter(item.object)) queue.push(item);
    }
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    yield { status: error.status };
    return;
  }
  const unsubscribe = store.subscribe(take);
  const ticker = setInterval(mark, bookmarkMs);
  const seconds = Number(query.get("timeoutSeconds") ?? 0) || DEFAULT_TIMEOUT_SECONDS;
  const timer = setTimeout(() => {
    mark();
    queue.end();
  }, seconds * 1000);
  const cancel = (): void => queue.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    yield* queue;
  } finally {
    unsubscribe();
    clearInterval(ticker);
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
  }
}

/** What comes before the changes from now on. */
function beginning(
  store: Store,
  collection: string,
  query: URLSearchParams,
  bookmarks: boolean,
): (Item | StoreEvent)[] {
  const initial = query.get("sendInitialEvents") === "true";
  const from = revision(query.get("resourceVersion")) ?? 0;
  if (from > store.revision) throw versionTooLarge(from, store.revision);
  if (from > 0 && !initial) return store.since(from);
  const objects = store.list(collection).map((object): Item => ({ type: "ADDED", object }));
  return initial && bookmarks ? [...objects, { bookmark: store.revision, end: true }] : objects;
}

/** Refuses a watch that could not be answered, before its stream begins. */
export function checkWatch(call: Call, query: URLSearchParams): void {
  filterOf(call, query);
  checkVersion(query.get("resourceVersion"));
  if (query.get("sendInitialEvents") === "true" && query.get("resourceVersionMatch") !== "NotOlderThan") {
    const error = fieldForbidden(
      "resourceVersionMatch",
      "sendInitialEvents requires resourceVersionMatch=NotOlderThan",
    );
    throw invalid({ group: "", kind: "ListOptions" }, "", [error]);
  }
}

/** A version that is no number: a list refuses it with 400, but Kubernetes lets a watch run into an error of its own. */
function checkVersion(text: string | null): void {
  try {
    revision(text);
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    throw new ApiFailure(500, "", `resourceVersion: Invalid value: ${JSON.stringify(text)}: invalid syntax`);
  }
}

function represent(
  context: Context,
  { resolved }: Call,
  query: URLSearchParams,
  shown: Representation,
  object: ApiObject,
  columns: boolean,
): JsonObject {
  if (shown === "metadata") return metadataOnly(object);
  if (shown === "object") return object;
  const { resourceVersion = "" } = object.metadata;
  const include = query.get("includeObject") ?? "Metadata";
  return table(resolved, [object], { resourceVersion }, { include, now: context.now(), columns });
}

/** The event as a watcher with this filter sees it, if at all. */
function visible(
  { type, object, previous, revision }: StoreEvent,
  filter: (object: ApiObject) => boolean,
): Pending | undefined {
  const was = previous !== undefined && filter(previous);
  const is = type !== "DELETED" && filter(object);
  if (is) return { type: was ? "MODIFIED" : "ADDED", object };
  if (!was) return undefined;
  return {
    type: "DELETED",
    object: { ...previous, metadata: { ...previous.metadata, resourceVersion: String(revision) } },
  };
}

function bookmark(
  kind: string,
  apiVersion: string,
  { bookmark, end }: { bookmark: number; end?: boolean },
): JsonObject {
  const annotations = end ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
  return { kind, apiVersion, metadata: { resourceVersion: String(bookmark), creationTimestamp: null, ...annotations } };
}
