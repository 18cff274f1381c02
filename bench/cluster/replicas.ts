// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { createReflector, RESOURCES, type Api, type KubeObject } from "@hot/kube";
import type { Pod } from "@hot/spec";
import type { Cluster } from "../../tools/cluster/cluster.ts";

const NAMESPACE = "hot-system";
const LIMIT_MS = 60_000;

interface Lease extends KubeObject {
  spec?: { holderIdentity?: string };
}

/** Resident memory of each replica of the application, in MB; the file of the Node program that all share is counted. */
export async function memoryMb(api: Api, cluster: Cluster): Promise<number[]> {
  const { items } = await api.list<Pod & KubeObject>(RESOURCES.pods, { namespace: NAMESPACE });
  return items.map((pod) => {
    const status = cluster.run(["cat", `/proc/${mainProcess(cluster, pod)}/status`]);
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  });
}

/**
 * How long nobody is the leader, in milliseconds: from the signal to the leader's only process until another one holds
 * the Lease. `delete`: the pod is deleted, which is a clean stop.
 */
export async function handOverMs(api: Api, cluster: Cluster, how: "delete" | "kill"): Promise<number> {
  const stop = new AbortController();
  const leases = createReflector<Lease>({ api, resource: RESOURCES.leases, namespace: NAMESPACE });
  try {
    void leases.run(stop.signal);
    await leases.waitForSync(stop.signal);
    const before = holder(leases.store.list());
    const taken = Promise.withResolvers<number>();
    using subscription = leases.subscribe(() => {
      const now = holder(leases.store.list());
      if (now !== "" && now !== before) taken.resolve(performance.now());
    });
    const late = setTimeout(() => taken.reject(new Error(`nobody follows ${before}`)), LIMIT_MS);
    const name = before.split("_")[0] ?? "";
    const pod = await api.get<Pod & KubeObject>(RESOURCES.pods, name, { namespace: NAMESPACE });
    const pid = mainProcess(cluster, pod);
    const start = performance.now();
    if (how === "delete") await api.delete(RESOURCES.pods, name, { namespace: NAMESPACE });
    else cluster.run(["kill", "-9", pid]);
    const end = await taken.promise;
    clearTimeout(late);
    subscription[Symbol.dispose]();
    return end - start;
  } finally {
    stop.abort();
    cluster.kubectl(["rollout", "status", "-n", NAMESPACE, "deployment/hot-webhook", "--timeout=60s"]);
  }
}

function holder(leases: readonly Lease[]): string {
  return leases.find(({ metadata }) => metadata.name === "hot-controller")?.spec?.holderIdentity ?? "";
}

/** Process id inside the cluster's namespaces of a pod's only container. */
function mainProcess(cluster: Cluster, { metadata, spec, status }: Pod): string {
  const id = status?.containerStatuses?.[0]?.containerID?.replace("containerd://", "") ?? "";
  const [program = "", ...args] = cluster.ctr(spec.nodeName ?? "", ["tasks", "ls"]);
  const line = execFileSync(program, args, { encoding: "utf8" })
    .split("\n")
    .find((one) => one.startsWith(id));
  const pid = line?.split(/\s+/)[1];
  if (id === "" || pid === undefined) throw new Error(`${metadata.name} has no running container`);
  return pid;
}
