// SPDX-License-Identifier: Apache-2.0
import {
  pairNames,
  parseObject,
  VERSION_ALT_ANNOTATION_PREFIX,
  VERSION_ANNOTATION_PREFIX,
  WORKING_ANNOTATION,
  type Pod,
} from "@hot/spec";

/** What a pod says of its hot pair; the first of two values belongs to `-1`. */
export interface PairState {
  images: [first: string, second: string];
  versions: [first: string, second: string];
  alts: [first: string, second: string];
  working: string;
}

export function pairState(pod: Pod, base = "sidecar"): PairState {
  const names = pairNames(base);
  const annotations = pod.metadata.annotations ?? {};
  const each = (value: (name: string) => string | undefined): [string, string] => [
    value(names[0]) ?? "",
    value(names[1]) ?? "",
  ];
  return {
    images: each((name) => pod.spec.containers.find((one) => one.name === name)?.image),
    versions: each((name) => annotations[VERSION_ANNOTATION_PREFIX + name]),
    alts: each((name) => annotations[VERSION_ALT_ANNOTATION_PREFIX + name]),
    working: (parseObject(annotations[WORKING_ANNOTATION])?.[base] as string | undefined) ?? "",
  };
}

/** The states that a pod went through; each differs from the one before. */
export function pairStates(seen: readonly Pod[], base?: string): PairState[] {
  const states = seen.map((pod) => pairState(pod, base));
  return states.filter((state, at) => JSON.stringify(state) !== JSON.stringify(states[at - 1]));
}

// What Kruise's reference says about the three writes, without a look at the code that makes them.

/** As injected: `-1` serves. */
export function injectedState(image: string, empty: string, base = "sidecar"): PairState {
  return { images: [image, empty], versions: ["1", "0"], alts: ["0", "1"], working: pairNames(base)[0] };
}

/** The side with the empty image gets the new one, and both learn of each other. */
export function upgraded(before: PairState, image: string, version: string, base = "sidecar"): PairState {
  const target = before.working === pairNames(base)[0] ? 1 : 0;
  const put = (pair: readonly [string, string], value: string): [string, string] =>
    target === 0 ? [value, pair[1]] : [pair[0], value];
  const alts = put([version, version], before.versions[1 - target] ?? "");
  const working = pairNames(base)[target];
  return { images: put(before.images, image), versions: put(before.versions, version), alts, working };
}

/** The side that does not work gets the empty image; its own `versionalt` stays. */
export function reset(before: PairState, empty: string, base = "sidecar"): PairState {
  const old = before.working === pairNames(base)[0] ? 1 : 0;
  const put = (pair: readonly [string, string], at: number, value: string): [string, string] =>
    at === 0 ? [value, pair[1]] : [pair[0], value];
  return {
    ...before,
    images: put(before.images, old, empty),
    versions: put(before.versions, old, "0"),
    alts: put(before.alts, 1 - old, "0"),
  };
}
