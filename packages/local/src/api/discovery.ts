// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "./object.ts";
import type { Registry } from "./registry.ts";
import { apiVersionOf, type ResourceType, type ResourceVersion, type Subresource } from "./resource-type.ts";

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** What this server says it is: the Kubernetes whose behaviour it follows. */
export const VERSION = {
  major: "1",
  minor: "34",
  gitVersion: "v1.34.0+local",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: "linux/amd64",
};

export const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** Whether a client asks for everything in one answer, as kubectl does. */
export function wantsAggregated(accept: string | undefined): boolean {
  return (accept ?? "").split(",").some((wish) => {
    const parts = new Set(wish.split(";").map((part) => part.trim()));
    return ["application/json", "v=v2", "as=APIGroupDiscoveryList"].every((part) => parts.has(part));
  });
}

export const coreVersions = (): JsonObject => ({
  kind: "APIVersions",
  versions: ["v1"],
  serverAddressByClientCIDRs: [],
});

export function groups(registry: Registry): JsonObject {
  return { kind: "APIGroupList", apiVersion: "v1", groups: groupNames(registry).map((name) => group(registry, name)) };
}

export function group(registry: Registry, name: string): JsonObject | undefined {
  const versions = versionsOf(registry, name).map((version) => ({
    groupVersion: apiVersionOf(name, version),
    version,
  }));
  if (versions.length === 0) return undefined;
  return { kind: "APIGroup", apiVersion: "v1", name, versions, preferredVersion: versions[0] };
}

export function resources(registry: Registry, groupName: string, version: string): JsonObject | undefined {
  const found = served(registry, groupName, version);
  if (found.length === 0) return undefined;
  const items: JsonObject[] = [];
  for (const [type, one] of found) {
    items.push(resourceEntry(type), ...subresources(type, one).map((sub) => subresourceEntry(type, sub)));
  }
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: apiVersionOf(groupName, version),
    resources: items,
  };
}

function resourceEntry(type: ResourceType): JsonObject {
  const { plural: name, singular: singularName, namespaced, kind } = type;
  return { name, singularName, namespaced, kind, verbs: VERBS, ...otherNames(type) };
}

function subresourceEntry({ plural, namespaced, group }: ResourceType, sub: Subresource): JsonObject {
  const foreign = sub.group === group ? {} : { group: sub.group, version: sub.version };
  return { name: `${plural}/${sub.name}`, singularName: "", namespaced, kind: sub.kind, verbs: sub.verbs, ...foreign };
}

function otherNames({ shortNames, categories }: ResourceType): JsonObject {
  return { ...(shortNames.length > 0 ? { shortNames } : {}), ...(categories.length > 0 ? { categories } : {}) };
}

/** `APIGroupDiscoveryList` for `/api` (core) or `/apis` (all others). */
export function aggregated(registry: Registry, core: boolean): JsonObject {
  const names = core ? [""] : groupNames(registry);
  const items = names.map((name) => ({
    metadata: { name, creationTimestamp: null },
    versions: versionsOf(registry, name).map((version) => ({
      version,
      freshness: "Current",
      resources: served(registry, name, version).map(([type, one]) => aggregatedEntry(type, one)),
    })),
  }));
  return { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
}

function aggregatedEntry(type: ResourceType, version: ResourceVersion): JsonObject {
  return {
    resource: type.plural,
    responseKind: { group: type.group, version: version.name, kind: type.kind },
    scope: type.namespaced ? "Namespaced" : "Cluster",
    singularResource: type.singular,
    verbs: VERBS,
    ...otherNames(type),
    subresources: subresources(type, version).map(({ name, group, version: of, kind, verbs }) => ({
      subresource: name,
      responseKind: { group, version: of, kind },
      verbs,
    })),
  };
}

function groupNames(registry: Registry): string[] {
  return [...new Set(registry.types().map(({ group }) => group))].filter((name) => name !== "");
}

/** Versions of a group, preferred first. */
export function versionsOf(registry: Registry, name: string): string[] {
  return [
    ...new Set(
      registry.types().flatMap((type) => (type.group === name ? type.versions.map((version) => version.name) : [])),
    ),
  ];
}

export function served(registry: Registry, groupName: string, version: string): [ResourceType, ResourceVersion][] {
  return registry.types().flatMap((type): [ResourceType, ResourceVersion][] => {
    const found = type.group === groupName ? type.versions.find(({ name }) => name === version) : undefined;
    return found ? [[type, found]] : [];
  });
}

function subresources(type: ResourceType, version: ResourceVersion): readonly Subresource[] {
  const status = {
    name: "status",
    kind: type.kind,
    group: type.group,
    version: version.name,
    verbs: ["get", "patch", "update"],
  };
  return version.status ? [status, ...type.subresources] : type.subresources;
}
