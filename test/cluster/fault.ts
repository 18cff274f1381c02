// SPDX-License-Identifier: Apache-2.0
import { inspect } from "node:util";
import { RESOURCES, type KubeObject } from "@hot/kube";
import { parseObject, RECORD_ANNOTATION_PREFIX, type Pod } from "@hot/spec";
import { expect } from "vitest";
import { api, EMPTY, getSidecarSet, image, isReady, pods, until } from "./kit.ts";
import { pairState } from "./pair-state.ts";
import { containerIDs, expectAppUntouched, statusOf } from "./pod-history.ts";

/** A hook that waits for the takeover so long. */
export const hook = (seconds: number, name = "sidecar"): object => ({
  postStart: { exec: { command: ["/hot-standby", "migrate", "--name", name, "--timeout", String(seconds)] } },
});

/** Both sides have an image other than the empty one. */
export const underWay = (pod: Pod): boolean => pairState(pod).versions.every((version) => version !== "0");

const specImage = (pod: Pod, name: string): string | undefined =>
  pod.spec.containers.find((one) => one.name === name)?.image;

const onSpecImages = (pod: Pod): boolean =>
  ["sidecar-1", "sidecar-2"].every((name) => statusOf(pod, name)?.image === specImage(pod, name));

export const settled = (pod: Pod): boolean => !underWay(pod) && isReady(pod) && onSpecImages(pod);

/** What the controller has noted on the pod. */
export interface Noted {
  phase: string;
  containerID: string;
  generation: number;
  deadlineAt: string;
  failed?: { reason: string; at: string };
}

export function noted(pod: Pod): Noted | undefined {
  return parseObject(pod.metadata.annotations?.[`${RECORD_ANNOTATION_PREFIX}sidecar`]) as Noted | undefined;
}

/** Polls the only pod of a namespace. */
export function podWhere(ns: string, what: string, wanted: (pod: Pod) => boolean, limitMs = 60_000): Promise<Pod> {
  const check = async (): Promise<Pod | false> => {
    const [pod] = await pods(ns);
    return pod !== undefined && wanted(pod) && pod;
  };
  const seen = async (): Promise<unknown> =>
    (await pods(ns)).map((pod) => [pairState(pod), noted(pod), pod.status?.containerStatuses]);
  return until(what, check, limitMs, seen);
}

/** Polls until an abort is noted on the pod. */
export const aborted = (ns: string, limitMs?: number): Promise<Pod> =>
  podWhere(ns, "the abort", (pod) => noted(pod)?.phase === "abort", limitMs);

interface Event extends KubeObject {
  reason?: string;
  note?: string;
}

/** Notes of the events with this reason on a pod. */
export async function notes(ns: string, reason: string): Promise<string[]> {
  const { items } = await api().list<Event>(RESOURCES.eventsV1, { namespace: ns });
  return items.filter((one) => one.reason === reason).map(({ note = "" }) => note);
}

/** Pod record, event and condition tell the same reason. */
export async function expectReason(ns: string, name: string, pod: Pod, reasons: readonly string[]): Promise<void> {
  const reason = noted(pod)?.failed?.reason ?? "";
  expect(reasons).toContain(reason);
  await until("the event", async () => (await notes(ns, "HotUpgradeAborted")).some((note) => note.includes(reason)));
  const stalled = await until(
    "the condition Stalled",
    async () =>
      (await getSidecarSet(name)).status?.conditions?.find(
        ({ type, status }) => type === "Stalled" && status === "True",
      ),
    20_000,
    async () => (await getSidecarSet(name)).status,
  );
  expect(stalled).toMatchObject({ reason, message: expect.stringContaining(pod.metadata.name ?? "?") });
}

/** As before the upgrade: the old side serves, as the very process that it was, and the other one is empty again. */
export function expectOldSideKept(pod: Pod, history: readonly Pod[]): void {
  expect(pairState(pod)).toMatchObject({ images: [image("v1"), EMPTY], versions: ["1", "0"], working: "sidecar-1" });
  expect(containerIDs(history, "sidecar-1"), "the old side was never stopped").toHaveLength(1);
  expectAppUntouched(history);
}

/** Runs faults at the same time, and says of each that went otherwise what was wrong. */
export async function sideBySide(faults: Readonly<Record<string, () => Promise<void>>>): Promise<void> {
  const names = Object.keys(faults);
  const results = await Promise.allSettled(Object.values(faults).map((run) => run()));
  const wrong = results.flatMap((one, at) => (one.status === "rejected" ? [[names[at], inspect(one.reason)]] : []));
  expect(wrong, JSON.stringify(wrong, undefined, 1)).toEqual([]);
}
