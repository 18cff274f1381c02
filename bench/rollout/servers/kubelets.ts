// SPDX-License-Identifier: Apache-2.0
// All kubelets of the bench in one process: what a pod's spec asks for is reported as running and ready a little later.
import { setTimeout as sleep } from "node:timers/promises";
import { connect, createReflector, RESOURCES, type KubeObject } from "@hot/kube";
import type { Pod, PodStatus } from "@hot/spec";
import { answering } from "../child.ts";
import { nodePod, reported, type NodePod } from "../api/kubelet-status.ts";

export interface KubeletReport {
  /** Statuses written. */
  readonly writes: number;
  /** From the moment that a status is due to its PATCH, and to the answer; each in milliseconds. */
  readonly sentAfter: readonly number[];
  readonly answeredAfter: readonly number[];
}

const [kubeconfig = "", delay = ""] = process.argv.slice(2);
const DELAY_MS = Number(delay);
const AT_ONCE = 64;
const TICK_MS = 5;

const api = connect({ kubeconfig, userAgent: "hot-bench-kubelets" });
const pods = createReflector<Pod & KubeObject, NodePod>({ api, resource: RESOURCES.pods, project: nodePod });
const statuses = new Map<string, { uid: string; generation: number; status?: PodStatus }>();
const due: { key: string; at: number }[] = [];
let report = { writes: 0, sentAfter: [] as number[], answeredAfter: [] as number[] };
let underWay = 0;

pods.subscribe(({ type, key, object }) => {
  const known = statuses.get(key);
  if (type === "deleted") statuses.delete(key);
  if (type === "deleted" || (known?.uid === object.uid && known.generation >= object.generation)) return;
  const status = known?.uid === object.uid ? known.status : undefined;
  statuses.set(key, { uid: object.uid, generation: object.generation, ...(status && { status }) });
  due.push({ key, at: performance.now() + DELAY_MS });
});

function advance(): void {
  while (underWay < AT_ONCE && due[0] !== undefined && due[0].at <= performance.now()) {
    const [first] = due.splice(0, 1);
    if (first !== undefined) void send(first.key, first.at);
  }
}

async function send(key: string, at: number): Promise<void> {
  const pod = pods.store.get(key);
  const known = statuses.get(key);
  if (pod === undefined || known === undefined) return;
  underWay++;
  const status = reported(pod, known.status, Date.now());
  statuses.set(key, { ...known, status });
  report.sentAfter.push(performance.now() - at);
  try {
    const options = { namespace: pod.namespace, subresource: "status" };
    await api.patch(RESOURCES.pods, pod.name, { type: "strategic", body: { status } }, options);
    report.writes++;
    report.answeredAfter.push(performance.now() - at);
  } catch (error) {
    // A kubelet tries again, too.
    process.stderr.write(`hot: the status of ${key} was not written: ${String(error)}\n`);
    due.push({ key, at: performance.now() + DELAY_MS });
  } finally {
    underWay--;
    advance();
  }
}

setInterval(advance, TICK_MS);
void pods.run(new AbortController().signal);
answering({
  /** Once nothing is left to be written. */
  report: async (): Promise<KubeletReport> => {
    while (underWay + due.length > 0) await sleep(TICK_MS);
    const told = report;
    report = { writes: 0, sentAfter: [], answeredAfter: [] };
    return told;
  },
});
