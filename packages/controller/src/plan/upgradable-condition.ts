// SPDX-License-Identifier: Apache-2.0
import { readState } from "./in-place-state.ts";
import { parseObject, stringifySorted } from "@hot/spec";
import type { PodProjection } from "./pod-projection.ts";

/**
 * The message of the pod condition SidecarSetUpgradable, `{"<SidecarSet>": true | false}`, if it has to change. As with
 * Kruise, a pod that was never updated in place has no entry unless it is not upgradable. A message that can't be read
 * is replaced.
 */
export function upgradableMessage(pod: PodProjection, name: string, upgradable: boolean): string | undefined {
  const before = parseObject(pod.upgradable) ?? {};
  const wanted = !upgradable || Object.hasOwn(before, name) || readState(pod, name) !== undefined;
  if (!wanted || before[name] === upgradable) return undefined;
  return stringifySorted({ ...before, [name]: upgradable });
}

/**
 * The message without the entry of a SidecarSet that is gone, if it has to change: only `false` does harm, since the
 * condition would be false for ever.
 */
export function messageWithout(pod: PodProjection, name: string): string | undefined {
  const { [name]: entry, ...others } = parseObject(pod.upgradable) ?? {};
  return entry === false ? stringifySorted(others) : undefined;
}

/** The condition of a message: true only if every SidecarSet says so. */
export function upgradableCondition(message: string): { status: "True" | "False"; reason: string; message: string } {
  const all = Object.values(parseObject(message) ?? {}).every((one) => one === true);
  return all
    ? { status: "True", reason: "AllSidecarsetUpgradable", message }
    : { status: "False", reason: "UpdateImmutableField", message };
}
