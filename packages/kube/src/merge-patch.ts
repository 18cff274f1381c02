// SPDX-License-Identifier: Apache-2.0
import type { KubeObject, Patch } from "./api.ts";

/**
 * A merge patch that is carried out only if the object is still in the version it was decided on. When it has changed
 * since, the server answers 409: then read the object again and decide again, never send the same patch again. (To the
 * server a version that it does not hold and one that it held earlier are the same.)
 *
 * @throws TypeError when the object carries no resourceVersion.
 * @example
 * await api.patch(RESOURCES.pods, name, mergePatch(pod, { metadata: { labels: { a: "b" } } }), { namespace });
 */
export function mergePatch(object: KubeObject, changes: object): Patch {
  const { resourceVersion, name } = object.metadata;
  if (!resourceVersion) throw new TypeError(`${name ?? "the object"} has no resourceVersion: patch what was read`);
  const metadata = "metadata" in changes ? (changes.metadata as object) : {};
  return { type: "merge", body: { ...changes, metadata: { ...metadata, resourceVersion } } };
}
