// SPDX-License-Identifier: Apache-2.0
import { VERSION, served, versionsOf } from "./discovery.ts";
import type { JsonObject } from "./object.ts";
import type { Registry } from "./registry.ts";
import { apiVersionOf } from "./resource-type.ts";

const info = { title: "Kubernetes", version: VERSION.gitVersion };

/** `/openapi/v2`: present and empty; kubectl then uses what it has built in. */
export const openApiV2 = (): JsonObject => ({ swagger: "2.0", info, paths: {}, definitions: {} });

/** `/openapi/v3`: where the document of each group and version is. */
export function openApiIndex(registry: Registry): JsonObject {
  const groups = [...new Set(registry.types().map(({ group }) => group))];
  const paths = groups.flatMap((group) =>
    versionsOf(registry, group).map((version): [string, JsonObject] => {
      const path = group === "" ? `api/${version}` : `apis/${group}/${version}`;
      return [path, { serverRelativeURL: `/openapi/v3/${path}` }];
    }),
  );
  return { paths: Object.fromEntries(paths) };
}

/**
 * The document of one group and version: what kubectl looks for, that PATCH takes `fieldValidation` and `dryRun`, and the
 * schemas of custom kinds for `kubectl explain`. Built-in kinds have none: clients know these themselves.
 */
export function openApiV3(registry: Registry, group: string, version: string): JsonObject | undefined {
  const kinds = served(registry, group, version);
  if (kinds.length === 0) return undefined;
  const root = group === "" ? `/api/${version}` : `/apis/${apiVersionOf(group, version)}`;
  const paths = kinds.map(([type]): [string, JsonObject] => {
    const path = `${root}/${type.namespaced ? "namespaces/{namespace}/" : ""}${type.plural}/{name}`;
    const kind = { "x-kubernetes-group-version-kind": { group, version, kind: type.kind } };
    const responses = { 200: { description: "OK" } };
    return [
      path,
      {
        get: { ...kind, responses },
        patch: { ...kind, parameters: ["dryRun", "fieldManager", "fieldValidation"].map(queryText), responses },
      },
    ];
  });
  const schemas = kinds.flatMap(([type, { schema }]): [string, JsonObject][] => {
    if (!schema) return [];
    const name = [...group.split(".").toReversed(), version, type.kind].join(".");
    return [[name, { ...schema, "x-kubernetes-group-version-kind": [{ group, version, kind: type.kind }] }]];
  });
  return {
    openapi: "3.0.0",
    info,
    paths: Object.fromEntries(paths),
    components: { schemas: Object.fromEntries(schemas) },
  };
}

const queryText = (name: string): JsonObject => ({ name, in: "query", schema: { type: "string", uniqueItems: true } });
