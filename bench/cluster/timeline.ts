// SPDX-License-Identifier: Apache-2.0
import { pairNames, type ContainerStatus, type Pod } from "@hot/spec";
import { BASE, EMPTY } from "./objects.ts";

/** What can be seen of an upgrade through the API, in its order. */
export const MILESTONES = [
  "upgrade written",
  "new container reported",
  "new container ready",
  "reset written",
  "old container emptied",
  "settled",
] as const;
export type Milestone = (typeof MILESTONES)[number];

interface Before {
  readonly containerIDs: ReadonlyMap<string, string>;
}

/** Notes when each pod of a run reaches each milestone of its first upgrade, from the first side to the second. */
export class Timeline {
  readonly #before = new Map<string, Before>();
  readonly #times = new Map<string, Map<Milestone, number>>();
  readonly #now: () => number;

  constructor(pods: readonly Pod[], now: () => number) {
    this.#now = now;
    for (const pod of pods) {
      const ids = (pod.status?.containerStatuses ?? []).map((one) => [one.name, one.containerID ?? ""] as const);
      this.#before.set(nameOf(pod), { containerIDs: new Map(ids) });
      this.#times.set(nameOf(pod), new Map());
    }
  }

  /** To be called at every change; returns whether all pods have settled. */
  observe(pods: readonly Pod[], wish: string): boolean {
    for (const pod of pods) this.#observePod(pod, wish);
    return this.all("settled") !== undefined;
  }

  reached(pod: Pod, milestone: Milestone): boolean {
    return this.#times.get(nameOf(pod))?.has(milestone) === true;
  }

  /** When the last pod reached it; undefined while one has not. */
  all(milestone: Milestone): number | undefined {
    const times = [...this.#times.values()].map((one) => one.get(milestone));
    return times.includes(undefined) ? undefined : Math.max(...times.map((one) => one ?? 0));
  }

  /** Times of one milestone, of the pods that have reached it. */
  times(milestone: Milestone): number[] {
    return [...this.#times.values()].flatMap((one) => one.get(milestone) ?? []);
  }

  /** One line for each pod, in milliseconds since `start`. */
  lines(start: number): string[] {
    return [...this.#times].map(([pod, times]) => {
      const parts = MILESTONES.map((one) => `${one} ${Math.round((times.get(one) ?? Number.NaN) - start)}`);
      return `${pod}: ${parts.join(", ")}`;
    });
  }

  #observePod(pod: Pod, wish: string): void {
    const before = this.#before.get(nameOf(pod));
    const times = this.#times.get(nameOf(pod));
    if (before === undefined || times === undefined) return;
    const [old, target] = pairNames(BASE);
    const imageOf = (name: string): string | undefined => pod.spec.containers.find((one) => one.name === name)?.image;
    const changed = (name: string): ContainerStatus | undefined =>
      pod.status?.containerStatuses?.find(
        (one) =>
          one.name === name && one.containerID !== before.containerIDs.get(name) && one.state?.running !== undefined,
      );
    const upgraded = imageOf(target) === wish;
    const fresh = changed(target);
    const emptied = imageOf(old) === EMPTY ? changed(old) : undefined;
    const settled = isReady(fresh) && isReady(emptied) && isPodReady(pod);
    const seen: Record<Milestone, boolean> = {
      "upgrade written": upgraded,
      "new container reported": upgraded && fresh !== undefined,
      "new container ready": upgraded && isReady(fresh),
      "reset written": imageOf(old) === EMPTY,
      "old container emptied": emptied !== undefined,
      settled: upgraded && settled,
    };
    for (const one of MILESTONES) if (seen[one] && !times.has(one)) times.set(one, this.#now());
  }
}

/** Ready, and the kubelet has seen the last change. */
export function isPodReady({ metadata, status }: Pod): boolean {
  const observed = status?.observedGeneration === undefined || status.observedGeneration === metadata.generation;
  return observed && (status?.conditions ?? []).some((one) => one.type === "Ready" && one.status === "True");
}

function isReady(status: ContainerStatus | undefined): boolean {
  return status?.ready === true && status.started === true;
}

function nameOf({ metadata }: Pod): string {
  return metadata.name ?? "";
}
