// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_COLUMNS } from "./columns.ts";
import { apiVersionOf, collectionOf, type Column, type ResourceType } from "./resource-type.ts";

type Entry = Partial<Omit<ResourceType, "versions">> & {
  kind: string;
  plural: string;
  version?: string;
  status?: boolean;
  columns?: readonly Column[];
};

/** A built-in kind: what is not said is as for most of them. */
export function define({
  group = "",
  version = "v1",
  status = false,
  columns: shown = DEFAULT_COLUMNS,
  ...entry
}: Entry): ResourceType {
  return {
    group,
    singular: entry.kind.toLowerCase(),
    listKind: `${entry.kind}List`,
    shortNames: [],
    categories: [],
    namespaced: true,
    versions: [{ name: version, columns: shown, status }],
    storage: { collection: collectionOf({ group, plural: entry.plural }), apiVersion: apiVersionOf(group, version) },
    custom: false,
    generation: false,
    unconditionalUpdate: true,
    selectable: [],
    subresources: [],
    ...entry,
  };
}
