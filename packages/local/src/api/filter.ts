// SPDX-License-Identifier: Apache-2.0
import type { Call } from "./call.ts";
import { storedEventPath } from "./event-rules.ts";
import { type ApiObject, at } from "./object.ts";
import { parseFieldSelector, parseLabelSelector } from "./selector.ts";

export type Filter = (object: ApiObject) => boolean;

/** Which objects of a collection a request is about: its namespace, name, label and field selector. Bad selectors are a 400. */
export function filterOf({ resolved: { type }, namespace, name }: Call, query: URLSearchParams): Filter {
  const names = ["metadata.name", "metadata.namespace", ...type.selectable];
  const byLabel = parseLabelSelector(query.get("labelSelector") ?? "");
  const byField = parseFieldSelector(query.get("fieldSelector") ?? "", names);
  return (object) => {
    if (type.namespaced && namespace !== undefined && object.metadata.namespace !== namespace) return false;
    if (name !== undefined && object.metadata.name !== name) return false;
    if (!byLabel(object.metadata.labels ?? {})) return false;
    return byField(
      Object.fromEntries(
        names.map((path) => [path, fieldText(object, type.group === "events.k8s.io" ? storedEventPath(path) : path)]),
      ),
    );
  };
}

function fieldText(object: ApiObject, path: string): string {
  const value = path === "source" ? at(object, "source", "component") : at(object, ...path.split("."));
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
