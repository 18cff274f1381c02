// SPDX-License-Identifier: Apache-2.0
import type { Resource } from "./api.ts";

/** What a request is about. Without `name`: the collection; without `namespace`: all namespaces. */
export interface Target {
  resource: Resource;
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
}

/** The URL path of a target, each part encoded. A name or namespace can't leave its segment. */
export function resourcePath({ resource, namespace, name, subresource }: Target): string {
  const { group, version, plural, namespaced } = resource;
  if (namespaced && name !== undefined && !namespace) {
    throw new TypeError(`${plural} ${name}: a namespace is needed. Pass { namespace } to the call.`);
  }
  const root = group === "" ? ["api", version] : ["apis", group, version];
  const scope = namespaced && namespace ? ["namespaces", namespace] : [];
  const tail = [name, subresource].filter((part) => part !== undefined);
  return `/${[...root, ...scope, plural, ...tail].map(segment).join("/")}`;
}

/** How messages name a target: `pods default/web-0`, `deployments.apps in all namespaces`. */
export function describeTarget({ resource, namespace, name, subresource }: Target): string {
  const kind = resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
  const full = subresource === undefined ? kind : `${kind}/${subresource}`;
  if (name !== undefined) return `${full} ${namespace ? `${namespace}/${name}` : name}`;
  if (!resource.namespaced) return full;
  return `${full} in ${namespace ? `namespace ${namespace}` : "all namespaces"}`;
}

function segment(part: string): string {
  if (part === "" || part === "." || part === "..") throw new TypeError(`"${part}" is no name of a Kubernetes object`);
  return encodeURIComponent(part);
}
