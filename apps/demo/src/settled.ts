// SPDX-License-Identifier: Apache-2.0
import { pairNames, VERSION_ANNOTATION_PREFIX, type Pod } from "@hot/spec";

/** The side that serves when nothing is under way: its sibling's version is `"0"`. */
export function servingSide(pod: Pod, base: string): string | undefined {
  const [first, second] = pairNames(base);
  const standby = (name: string): boolean => pod.metadata.annotations?.[VERSION_ANNOTATION_PREFIX + name] === "0";
  if (standby(first) === standby(second)) return undefined;
  return standby(first) ? second : first;
}

/** True once the pod serves with `image`, its other side is empty again, and the kubelet has reported both and Ready. */
export function settledOn(pod: Pod, base: string, image: string): boolean {
  const serving = servingSide(pod, base);
  const spec = new Map(pod.spec.containers.map((container) => [container.name, container.image]));
  if (serving === undefined || spec.get(serving) !== image) return false;
  const reported = pairNames(base).every((name) => {
    const status = pod.status?.containerStatuses?.find((container) => container.name === name);
    return status?.ready === true && status.image === spec.get(name);
  });
  const ready = pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  return reported && ready;
}
