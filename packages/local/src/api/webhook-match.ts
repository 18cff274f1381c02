// SPDX-License-Identifier: Apache-2.0
import { type LabelSelector, matchesSelector } from "@hot/spec";
import { type ApiObject, field, isJsonObject, type JsonObject, listAt } from "./object.ts";
import type { ResourceType } from "./resource-type.ts";
import type { Labels } from "./selector.ts";

/** What is known about a request when webhooks are chosen. */
export interface Matchable {
  operation: "CREATE" | "UPDATE" | "DELETE";
  type: ResourceType;
  version: string;
  subresource: string | undefined;
  object: ApiObject | undefined;
  oldObject: ApiObject | undefined;
  /** Labels of the namespace concerned; undefined for other cluster-scoped objects, which every selector lets pass. */
  namespaceLabels: Labels | undefined;
}

const texts = (rule: JsonObject, name: string): string[] => {
  const list = field(rule, name);
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === "string") : [];
};

const includes = (list: string[], value: string): boolean => list.includes("*") || list.includes(value);

/**
 * The version in which a webhook wants to see the request: the request's own if a rule names it, else another version of
 * the same kind when `matchPolicy` is Equivalent; undefined when the webhook is not concerned.
 */
export function webhookVersion(webhook: JsonObject, request: Matchable): string | undefined {
  if (!selected(webhook, request)) return undefined;
  const rules = listAt(webhook, "rules").filter((rule) => ruleFits(rule, request));
  const named = (version: string): boolean => rules.some((rule) => includes(texts(rule, "apiVersions"), version));
  if (named(request.version)) return request.version;
  if (webhook.matchPolicy === "Exact") return undefined;
  return request.type.versions.map(({ name }) => name).find(named);
}

function ruleFits(rule: JsonObject, { operation, type, subresource }: Matchable): boolean {
  const scope = field(rule, "scope") ?? "*";
  if (scope !== "*" && (scope === "Namespaced") !== type.namespaced) return false;
  return (
    includes(texts(rule, "operations"), operation) &&
    includes(texts(rule, "apiGroups"), type.group) &&
    texts(rule, "resources").some((resource) => resourceFits(resource, type.plural, subresource))
  );
}

function resourceFits(rule: string, plural: string, subresource: string | undefined): boolean {
  const [resource = "", sub] = rule.split("/");
  if (resource !== "*" && resource !== plural) return false;
  return sub === "*" || sub === subresource;
}

function selected(webhook: JsonObject, { object, oldObject, namespaceLabels }: Matchable): boolean {
  if (namespaceLabels && !matchesSelector(selectorOf(webhook, "namespaceSelector"), namespaceLabels)) return false;
  const selector = selectorOf(webhook, "objectSelector");
  return [object, oldObject].some((one) => one && matchesSelector(selector, one.metadata.labels ?? {}));
}

/** In a webhook an absent selector lets everything pass. */
function selectorOf(webhook: JsonObject, name: string): LabelSelector {
  const selector = field(webhook, name);
  return isJsonObject(selector) ? selector : {};
}
