// SPDX-License-Identifier: Apache-2.0

/** Any Kubernetes object, as JSON carries it. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name?: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
}

/** Addresses a kind: `{ group: "apps", version: "v1", plural: "deployments", namespaced: true }`; the core group is `""`. */
export interface Resource {
  group: string;
  version: string;
  plural: string;
  namespaced: boolean;
}

export interface List<T> {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

export type WatchEvent<T> =
  | { type: "ADDED" | "MODIFIED" | "DELETED"; object: T }
  | { type: "BOOKMARK"; object: KubeObject }
  | { type: "ERROR"; object: ApiStatus };

/** `metav1.Status`, the body of an API error. */
export interface ApiStatus {
  kind?: "Status";
  status?: string;
  message?: string;
  reason?: string;
  code?: number;
  details?: {
    name?: string;
    kind?: string;
    causes?: { reason?: string; message?: string; field?: string }[];
    retryAfterSeconds?: number;
  };
}

export interface CallOptions {
  namespace?: string;
  signal?: AbortSignal;
}

export interface ListOptions extends CallOptions {
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
  /**
   * Is given items as they arrive, in their order, so that no page has to be in memory as a whole; the answer has only
   * those that it was not given. An implementation may give it none. It must not throw.
   */
  onItem?: (item: object) => void;
}

export interface WatchOptions extends CallOptions {
  resourceVersion: string;
  labelSelector?: string;
  fieldSelector?: string;
  timeoutSeconds?: number;
}

export interface WriteOptions extends CallOptions {
  subresource?: string;
  fieldManager?: string;
  dryRun?: boolean;
}

/** A patch and its media type. A precondition goes into the body: `metadata.resourceVersion` (merge) or a `test` operation (json). */
export type Patch = { type: "json"; body: readonly unknown[] } | { type: "merge" | "strategic"; body: object };

export interface DeleteOptions extends CallOptions {
  preconditions?: { uid?: string; resourceVersion?: string };
  gracePeriodSeconds?: number;
  propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

/**
 * The effect boundary of everything that talks to a cluster: raw JSON in, raw JSON out, so that fields newer than this
 * client survive. Every call rejects with an `ApiError` (status from the server) or a `ConnectionError` (no answer).
 */
export interface Api {
  get<T = KubeObject>(resource: Resource, name: string, options?: CallOptions & { subresource?: string }): Promise<T>;
  list<T = KubeObject>(resource: Resource, options?: ListOptions): Promise<List<T>>;
  /** Ends when the server closes the stream; rejects when it breaks. */
  watch<T = KubeObject>(resource: Resource, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T = KubeObject>(resource: Resource, object: object, options?: WriteOptions): Promise<T>;
  /** PUT. For leases, CRDs and the like; never for a Pod. */
  update<T = KubeObject>(resource: Resource, object: object, options?: WriteOptions): Promise<T>;
  patch<T = KubeObject>(resource: Resource, name: string, patch: Patch, options?: WriteOptions): Promise<T>;
  delete(resource: Resource, name: string, options?: DeleteOptions): Promise<unknown>;
}
