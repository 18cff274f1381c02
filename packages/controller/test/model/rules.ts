// SPDX-License-Identifier: Apache-2.0
import type { ContainerProjection, PodProjection } from "../../src/plan/pod-projection.ts";
import type { PodWrite } from "../../src/plan/writes.ts";

/**
 * What can be weakened, from outside: what the plan is shown, what becomes of its writes, and what the environment
 * guarantees. The plan itself is always the real one.
 */
export interface Rules {
  /** What the plan sees instead of the pod. */
  show: (pod: PodProjection) => PodProjection;
  /** What is written instead; undefined: nothing. */
  write: (write: PodWrite) => PodWrite | undefined;
  /** A write holds only for the version that it was planned on. */
  precondition: boolean;
  /** The plan knows whether the SidecarSet may be stale. */
  staleness: boolean;
  /** Readiness is the answer of an exec probe of the process itself. */
  probe: boolean;
  /** The plan learns that the deadline has passed. */
  deadline: boolean;
  /** The old side takes back when the new one dies. */
  takeBack: boolean;
  /** A TERM to the owner makes it yield first. */
  yields: boolean;
}

export const ALL: Rules = {
  show: (pod) => pod,
  write: (write) => write,
  precondition: true,
  staleness: true,
  probe: true,
  deadline: true,
  takeBack: true,
  yields: true,
};

/** Shows one side of the pair differently. */
export function side(
  which: "target" | "old" | "standby",
  change: (container: ContainerProjection, pod: PodProjection) => ContainerProjection,
): Pick<Rules, "show"> {
  return {
    show: (pod) => {
      const name = nameOf(pod, which);
      return { ...pod, containers: pod.containers.map((one) => (one.name === name ? change(one, pod) : one)) };
    },
  };
}

function nameOf({ annotations }: PodProjection, which: "target" | "old" | "standby"): string | undefined {
  const [a, b] = ["x-1", "x-2"].map((name) => BigInt(annotations[`version.sidecarset.kruise.io/${name}`] ?? "0"));
  if (a === undefined || b === undefined) return undefined;
  const settled = a === 0n || b === 0n;
  if (which === "standby") return settled ? (a === 0n ? "x-1" : "x-2") : undefined;
  if (settled) return undefined;
  const [target, old] = a > b ? ["x-1", "x-2"] : ["x-2", "x-1"];
  return which === "target" ? target : old;
}

/** Running, ready and on its image, whatever is the case. */
export function fine(container: ContainerProjection): ContainerProjection {
  const { status } = container;
  if (status === undefined) return container;
  const { waiting: _, terminated: __, ...rest } = status;
  return { ...container, status: { ...rest, image: container.image, ready: true, started: true, runningSince: 1 } };
}

/** Ready, whatever is the case. */
export function ready(container: ContainerProjection): ContainerProjection {
  const { status } = container;
  return { ...container, ...(status && { status: { ...status, ready: true, started: true } }) };
}

/** Changes a record in what the plan sees. */
export function record(change: (record: Record<string, unknown>) => void): Pick<Rules, "show"> {
  const key = "upgrade.hot.internal/x";
  return {
    show: (pod) => {
      const text = pod.annotations[key];
      if (text === undefined) return pod;
      const value = JSON.parse(text) as Record<string, unknown>;
      change(value);
      return { ...pod, annotations: { ...pod.annotations, [key]: JSON.stringify(value) } };
    },
  };
}

/** Leaves annotations out of writes of one kind. */
export function without(kind: PodWrite["kind"], prefix: string): Pick<Rules, "write"> {
  return {
    write: (write) => {
      if (write.kind !== kind) return write;
      const kept = Object.entries(write.annotations).filter(([key]) => !key.startsWith(prefix));
      return { ...write, annotations: Object.fromEntries(kept) };
    },
  };
}
