// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { connect, RESOURCES } from "@hot/kube";
import type { PodStatus } from "@hot/spec";
import { nodePod, reported, type NodePod } from "./kubelet-status.ts";
import type { PodWatch } from "./watch.ts";

export interface KubeletReport {
  /** Statuses written. */
  readonly writes: number;
  /** From the moment that a status is due to its PATCH, and to the answer; each in milliseconds. */
  readonly sentAfter: readonly number[];
  readonly answeredAfter: readonly number[];
}

export interface Kubelets extends AsyncDisposable {
  /** What they have done since the last report, once nothing is left to be written. */
  report(): Promise<KubeletReport>;
}

const AT_ONCE = 64;
const TICK_MS = 5;
const NO_REPORT = { writes: 0, sentAfter: [] as number[], answeredAfter: [] as number[] };

/** All kubelets of the bench: what a pod's spec asks for is reported as running and ready this much later. */
export function simulateKubelets(kubeconfig: string, watch: PodWatch, delayMs: number): Kubelets {
  const api = connect({ kubeconfig, userAgent: "hot-bench-kubelets" });
  const known = new Map<string, { readonly pod: NodePod; status?: PodStatus }>();
  const due: { readonly key: string; readonly at: number }[] = [];
  let report = structuredClone(NO_REPORT);
  let underWay = 0;

  const send = async (key: string, at: number): Promise<void> => {
    const one = known.get(key);
    if (one === undefined) return;
    const { pod } = one;
    underWay++;
    const status = reported(pod, one.status, Date.now());
    one.status = status;
    report.sentAfter.push(performance.now() - at);
    try {
      const options = { namespace: pod.namespace, subresource: "status" };
      await api.patch(RESOURCES.pods, pod.name, { type: "strategic", body: { status } }, options);
      report.writes++;
      report.answeredAfter.push(performance.now() - at);
    } catch (error) {
      // A kubelet tries again, too.
      process.stderr.write(`hot: the status of ${key} was not written: ${String(error)}\n`);
      due.push({ key, at: performance.now() + delayMs });
    } finally {
      underWay--;
      advance();
    }
  };

  const advance = (): void => {
    for (;;) {
      const [first] = due;
      if (first === undefined || underWay >= AT_ONCE || first.at > performance.now()) return;
      due.shift();
      void send(first.key, first.at);
    }
  };

  const subscription = watch.subscribe((key, object) => {
    const { uid = "", generation = 1 } = object.metadata;
    const before = known.get(key);
    const isSame = before?.pod.uid === uid;
    if (isSame && before.pod.generation >= generation) return;
    known.set(key, { pod: nodePod(object), ...(isSame && before.status && { status: before.status }) });
    due.push({ key, at: performance.now() + delayMs });
  });
  const timer = setInterval(advance, TICK_MS);

  return {
    async report() {
      while (underWay + due.length > 0) await sleep(TICK_MS);
      const told = report;
      report = structuredClone(NO_REPORT);
      return told;
    },
    async [Symbol.asyncDispose]() {
      subscription[Symbol.dispose]();
      clearInterval(timer);
      await api[Symbol.asyncDispose]();
    },
  };
}
