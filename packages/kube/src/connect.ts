// SPDX-License-Identifier: Apache-2.0
import type { Api, KubeObject, List, Resource, WatchEvent, WriteOptions } from "./api.ts";
import { ConnectionError } from "./api-error.ts";
import { createCredentialSource } from "./credentials.ts";
import type { KubeconfigOptions } from "./kubeconfig.ts";
import type { ListHead } from "./list-items.ts";
import { createRequester, type ApiRequest } from "./requester.ts";
import { createTransport } from "./transport.ts";

export interface ConnectOptions extends KubeconfigOptions {
  /** Sent with every request, `name/version`. */
  userAgent?: string;
  /** Longest answer that is read, in bytes; of a list that is read item by item, what is held at once. Default: 64 MiB. */
  maxAnswerBytes?: number;
  /** Longest watch event that is read, in bytes. Default: 16 MiB (etcd holds 1.5 MiB by default). */
  maxEventBytes?: number;
  /** Told about every answer, for metrics. `code` is the HTTP status, or the code of a `ConnectionError`. */
  onAnswer?: (answer: { verb: string; resource: Resource; code: number | string }) => void;
  /** Told each warning of the API server or of an admission webhook, as kubectl prints them. */
  onWarning?: (text: string) => void;
}

/**
 * Connects to a cluster; nothing is sent yet. JSON goes through as it is: fields this client has never heard of survive.
 * An aborted call rejects with the signal's reason, everything else with `ApiError` or `ConnectionError`; nothing is
 * tried again in here.
 *
 * @throws ConfigError when the kubeconfig can't be used.
 * @example
 * await using api = connect({ userAgent: "my-controller/1.0" });
 * const pods = await api.list(RESOURCES.pods, { namespace: "default" });
 */
export function connect(options: ConnectOptions = {}): Api & AsyncDisposable {
  const source = createCredentialSource(options, Date.now);
  const transport = createTransport(source, options.userAgent ?? "hot-kube");
  const { json, items, lines } = createRequester({
    transport,
    server: source.server.origin,
    onUnauthorized: () => source.invalidate(),
    maxAnswerBytes: options.maxAnswerBytes ?? 64 * 2 ** 20,
    maxEventBytes: options.maxEventBytes ?? 16 * 2 ** 20,
    onAnswer: options.onAnswer,
    onWarning: options.onWarning && ((text) => options.onWarning?.(text)),
  });

  return {
    get: (resource, name, { namespace, subresource, signal } = {}) =>
      json({ verb: "get", resource, namespace, name, subresource, signal }),

    async list<T>(resource: Resource, { namespace, signal, onItem, ...query }: Parameters<Api["list"]>[1] = {}) {
      const request: ApiRequest = { verb: "list", resource, namespace, signal, query };
      const list =
        onItem === undefined
          ? await json<List<T>>(request)
          : await items<List<T>>(request, (item, head) => onItem({ ...kindOf(head), ...item }));
      return withKinds(list);
    },

    async *watch<T>(resource: Resource, { namespace, signal, ...rest }: Parameters<Api["watch"]>[1]) {
      const query = { watch: "true", allowWatchBookmarks: "true", ...rest };
      const request: ApiRequest = { verb: "watch", resource, namespace, signal, query };
      for await (const line of lines(request)) yield parseEvent<T>(line, source.server.origin, resource);
    },

    create: (resource, object, options) => json(write("create", resource, object, undefined, options)),

    update: (resource, object, options) => {
      const { name = "" } = metadataOf(object);
      return json(write("update", resource, object, name, options));
    },

    patch: (resource, name, patch, options) =>
      json({ ...write("patch", resource, patch.body, name, options), contentType: PATCH_TYPES[patch.type] }),

    delete: (resource, name, { namespace, signal, ...body } = {}) =>
      json({ verb: "delete", resource, namespace, name, signal, ...(Object.keys(body).length > 0 ? { body } : {}) }),

    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

const PATCH_TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
};

function write(
  verb: "create" | "update" | "patch",
  resource: Resource,
  body: unknown,
  name: string | undefined,
  { namespace, subresource, signal, fieldManager, dryRun }: WriteOptions = {},
): ApiRequest {
  const scope = namespace ?? (verb === "patch" ? undefined : metadataOf(body).namespace);
  if (verb === "create" && resource.namespaced && scope === undefined) {
    throw new TypeError(
      `create ${resource.plural}: a namespace is needed, in the object's metadata or in the options.`,
    );
  }
  const query = { fieldManager, dryRun: dryRun === true ? "All" : undefined };
  return { verb, resource, namespace: scope, name, subresource, signal, query, body };
}

function metadataOf(object: unknown): KubeObject["metadata"] {
  return (object as Partial<KubeObject>).metadata ?? {};
}

/** The items of a typed list carry neither apiVersion nor kind, watch events do: make both alike. */
function withKinds<T>(list: List<T> & ListHead): List<T> {
  const own = kindOf(list);
  return own === undefined ? list : { ...list, items: list.items.map((item) => ({ ...own, ...item })) };
}

/** Of the items of a list. */
function kindOf({ kind, apiVersion }: ListHead): { apiVersion: string; kind: string } | undefined {
  if (kind === undefined || apiVersion === undefined || !kind.endsWith("List")) return undefined;
  return { apiVersion, kind: kind.slice(0, -"List".length) };
}

const EVENT_TYPES = new Set(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]);

function parseEvent<T>(line: string, server: string, resource: Resource): WatchEvent<T> {
  let event: Partial<WatchEvent<T>> | null = null;
  let cause: unknown;
  try {
    event = JSON.parse(line) as Partial<WatchEvent<T>> | null;
  } catch (error) {
    cause = error;
  }
  const object = event?.object as Partial<KubeObject> | null | undefined;
  const isWhole = typeof (event?.type === "ERROR" ? object : object?.metadata) === "object" && object !== null;
  if (EVENT_TYPES.has(event?.type ?? "") && isWhole) return event as WatchEvent<T>;
  const why = `a line is no watch event: ${line.slice(0, 80)}`;
  throw new ConnectionError(`watch ${resource.plural}`, server, "KUBE_MALFORMED", why, cause);
}
