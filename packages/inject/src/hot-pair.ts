// SPDX-License-Identifier: Apache-2.0
import {
  pairNames,
  RECORD_ANNOTATION_PREFIX,
  VERSION_ALT_ANNOTATION_PREFIX,
  VERSION_ALT_ENV,
  VERSION_ANNOTATION_PREFIX,
  VERSION_ENV,
  WORKING_ANNOTATION,
  type Container,
  parseObject,
  stringifySorted,
} from "@hot/spec";

/**
 * Splits a container into its hot pair: `x-1` works with the image, `x-2` is the standby with the empty image, and all
 * else is the same. Both read their versions from the pod's annotations.
 */
export function splitPair(base: Container, emptyImage: string | undefined): [working: Container, standby: Container] {
  const [first, second] = pairNames(base.name);
  const standby: Container = { ...base, name: second };
  if (emptyImage === undefined) delete standby.image;
  else standby.image = emptyImage;
  return [withVersionEnv({ ...base, name: first }), withVersionEnv(standby)];
}

function withVersionEnv(container: Container): Container {
  const versions = [
    [VERSION_ENV, VERSION_ANNOTATION_PREFIX],
    [VERSION_ALT_ENV, VERSION_ALT_ANNOTATION_PREFIX],
  ] as const;
  const env = versions.map(([name, prefix]) => ({
    name,
    valueFrom: { fieldRef: { fieldPath: `metadata.annotations['${prefix}${container.name}']` } },
  }));
  return { ...container, env: [...(container.env ?? []), ...env] };
}

/** The version annotations of a pair that has just been injected. `"1"` is not a resourceVersion; every real one is greater. */
export function initialVersions(base: string): Record<string, string> {
  const [first, second] = pairNames(base);
  return {
    [VERSION_ANNOTATION_PREFIX + first]: "1",
    [VERSION_ANNOTATION_PREFIX + second]: "0",
    [VERSION_ALT_ANNOTATION_PREFIX + first]: "0",
    [VERSION_ALT_ANNOTATION_PREFIX + second]: "1",
  };
}

/**
 * Writes the annotations of pairs: versions, the working side (other pairs keep theirs), and no record, since one that a
 * copied manifest brings along belongs to another pod.
 */
export function annotatePairs(annotations: Record<string, string>, bases: readonly string[]): Record<string, string> {
  if (bases.length === 0) return annotations;
  const working = bases.map((base) => [base, pairNames(base)[0]]);
  const result = Object.assign({ ...annotations }, ...bases.map((base) => initialVersions(base))) as typeof annotations;
  result[WORKING_ANNOTATION] = stringifySorted({ ...workingSides(annotations), ...Object.fromEntries(working) });
  for (const base of bases) Reflect.deleteProperty(result, RECORD_ANNOTATION_PREFIX + base);
  return result;
}

/** The container that works, by base name, as the pod's annotation has it. */
export function workingSides(annotations: Record<string, string>): Record<string, unknown> {
  return parseObject(annotations[WORKING_ANNOTATION]) ?? {};
}

/** Whether the annotations still are those of a pair that has just been injected: nothing was upgraded since. */
export function isInitialPair(
  annotations: Record<string, string>,
  working: Record<string, unknown>,
  base: string,
): boolean {
  return (
    working[base] === pairNames(base)[0] &&
    Object.entries(initialVersions(base)).every(([key, value]) => annotations[key] === value)
  );
}
