// SPDX-License-Identifier: Apache-2.0
import type { Pod } from "@hot/spec";
import { running } from "./builders.ts";

/** What becomes of a container that gets an image; default: it runs and is ready. */
export type Fate = "runs" | "pullError" | "hookError" | "crashes" | "hangs";

/** A pod's status after the kubelet has carried out its spec, or undefined if there is nothing to do. */
export function carriedOut(pod: Pod, fateOf: (image: string) => Fate = () => "runs"): Pod | undefined {
  const generation = pod.metadata.generation ?? 1;
  const statuses = pod.status?.containerStatuses ?? [];
  let changed = pod.status?.observedGeneration !== generation;
  const containerStatuses = pod.spec.containers.map(({ name, image = "" }) => {
    const before = statuses.find((one) => one.name === name);
    const fate = fateOf(image);
    if ((before?.image === image && before.state?.running) || (fate === "hangs" && before?.state?.running))
      return before ?? running(name, image);
    if (before?.state?.waiting?.message === image) return before;
    changed = true;
    const instance = (before?.restartCount ?? 0) + 2;
    const old = before?.containerID ?? "";
    const ended = (containerID: string) => ({ terminated: { exitCode: 1, containerID } });
    const waiting = (reason: string) => ({
      state: { waiting: { reason, message: image } },
      ready: false,
      started: false,
    });
    if (fate === "pullError")
      return {
        ...running(name, image, instance),
        ...waiting("ErrImagePull"),
        image: before?.image ?? "",
        containerID: old,
      };
    if (fate === "hookError") return { ...running(name, image, instance), ...waiting("PostStartHookError") };
    if (fate === "crashes") {
      const crashed = running(name, image, instance);
      return { ...crashed, ...waiting("CrashLoopBackOff"), lastState: ended(crashed.containerID ?? "") };
    }
    return running(name, image, instance);
  });
  if (!changed) return undefined;
  const ready = containerStatuses.every((one) => one.ready);
  const conditions = (pod.status?.conditions ?? []).map((one) => {
    const status = ready ? ("True" as const) : ("False" as const);
    return one.type === "Ready" || one.type === "ContainersReady" ? Object.assign({}, one, { status }) : one;
  });
  return { ...pod, status: { ...pod.status, observedGeneration: generation, conditions, containerStatuses } };
}
