// SPDX-License-Identifier: Apache-2.0
import type { Pod } from "@hot/spec";

/** Bytes of the PATCH with which a controller made one state of a pod of another; 0: no image was changed. */
export function patchSize(before: Pod, after: Pod): number {
  const old = new Map(before.spec.containers.map(({ name, image }) => [name, image]));
  const containers = after.spec.containers
    .filter(({ name, image }) => old.get(name) !== image)
    .map(({ name, image }) => ({ name, image }));
  if (containers.length === 0) return 0;
  const had = before.metadata.annotations ?? {};
  const annotations = Object.fromEntries(
    Object.entries(after.metadata.annotations ?? {}).filter(([key, value]) => had[key] !== value),
  );
  const { resourceVersion } = before.metadata;
  return JSON.stringify({ metadata: { resourceVersion, annotations }, spec: { containers } }).length;
}
