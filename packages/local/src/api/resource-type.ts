// SPDX-License-Identifier: Apache-2.0
import type { FieldError } from "./failure.ts";
import type { ApiObject } from "./object.ts";
import type { Schema } from "./schema.ts";

/** A column of `kubectl get`; a priority above 0 is shown with `-o wide` only. */
export interface Column {
  name: string;
  type: string;
  priority: number;
  description?: string;
  format?: string;
  value: (object: ApiObject, now: Date) => unknown;
}

export interface ResourceVersion {
  name: string;
  columns: readonly Column[];
  /** Whether `/status` exists; then a write to the main resource leaves the status alone. */
  status: boolean;
  schema?: Schema;
  deprecationWarning?: string;
}

export interface Subresource {
  name: string;
  kind: string;
  group: string;
  version: string;
  verbs: readonly string[];
}

/** One kind that the server knows, built in or defined by a CustomResourceDefinition. */
export interface ResourceType {
  group: string;
  plural: string;
  singular: string;
  kind: string;
  listKind: string;
  shortNames: readonly string[];
  categories: readonly string[];
  namespaced: boolean;
  /** Served versions, the preferred one first. */
  versions: readonly ResourceVersion[];
  /** Where and in which version objects are stored; an Event of `events.k8s.io` is one of the core group. */
  storage: { collection: string; apiVersion: string };
  /** Custom: unknown fields follow the schema, no strategic merge, updates need a resourceVersion. */
  custom: boolean;
  /** Whether `metadata.generation` counts the changes of everything but metadata and status. */
  generation: boolean;
  /** Whether PUT without resourceVersion is accepted. */
  unconditionalUpdate: boolean;
  /** Field selectors beyond `metadata.name` and `metadata.namespace`. */
  selectable: readonly string[];
  /** Further subresources, for discovery. */
  subresources: readonly Subresource[];
  /** Fills in defaults; also called on what a webhook has patched. The object may be changed. */
  defaults?: (object: ApiObject) => void;
  /** Sets what a client cannot choose at creation, such as the first status. The object may be changed. */
  prepareCreate?: (object: ApiObject) => void;
  /** Keeps what a client cannot change in an update. The object may be changed. */
  prepareUpdate?: (object: ApiObject, old: ApiObject) => void;
  validate?: (object: ApiObject, old: ApiObject | undefined) => FieldError[];
}

export const collectionOf = (type: { group: string; plural: string }): string => `${type.group}/${type.plural}`;

export function apiVersionOf(group: string, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}
