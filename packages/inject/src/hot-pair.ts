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
  return { ...structuredClone(container), env: [...(container.env ?? []), ...env] };
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
 * Writes the pair's annotations: versions, the working side (other pairs keep theirs), and no record, since one that a
 * copied manifest brings along belongs to another pod.
 */
export function annotatePair(annotations: Record<string, string>, base: string): Record<string, string> {
  const working = parseObject(annotations[WORKING_ANNOTATION]) ?? {};
  const result = {
    ...annotations,
    ...initialVersions(base),
    [WORKING_ANNOTATION]: stringifySorted({ ...working, [base]: pairNames(base)[0] }),
  };
  Reflect.deleteProperty(result, RECORD_ANNOTATION_PREFIX + base);
  return result;
}

/** Whether the annotations still are those of a pair that has just been injected: nothing was upgraded since. */
export function isInitialPair(annotations: Record<string, string>, base: string): boolean {
  const working = parseObject(annotations[WORKING_ANNOTATION]) ?? {};
  return (
    working[base] === pairNames(base)[0] &&
    Object.entries(initialVersions(base)).every(([key, value]) => annotations[key] === value)
  );
}
