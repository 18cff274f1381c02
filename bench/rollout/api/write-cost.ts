// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { connect, RESOURCES } from "@hot/kube";
import type { Pod } from "@hot/spec";
import type { Cluster } from "../../../tools/cluster/cluster.ts";
import { controlPlane } from "./control-plane.ts";
import { createSurroundings, injected, NAMESPACES, nobodys, sidecarSet } from "./objects.ts";
import { processorTime } from "./processor-time.ts";
import { VARIANTS, type Target, type WriteVariant } from "./write-variants.ts";

/** What one PATCH costs the API server, by each way to write it. */
export interface WriteCost {
  readonly what: string;
  readonly answerBytes: number;
  /** One for each round. */
  readonly processorMs: readonly number[];
  readonly allocatedKib: readonly number[];
}

const AT_ONCE = 8;
/** About as long as the annotations of an upgrade. */
const FILL_BYTES = 1_500;
const { patched: namespace } = NAMESPACES;

/** All variants in turns, each time on all pods, so that what else the machine does burdens them alike. */
export async function writeCosts(pods: number, rounds: number): Promise<WriteCost[]> {
  await using stack = new AsyncDisposableStack();
  const { cluster } = stack.use(await controlPlane());
  const targets = await createTargets(cluster, pods);
  const send = client(cluster);
  const pid = { server: cluster.processes.pid("apiserver") ?? 0 };
  const idle = -allocated(cluster) + allocated(cluster);
  const costs = VARIANTS.map(({ what }) => ({
    what,
    answerBytes: 0,
    processorMs: [] as number[],
    allocatedKib: [] as number[],
  }));
  let written = 0;
  for (let round = -1; round < rounds; round++) {
    for (const [index, variant] of VARIANTS.entries()) {
      const cost = costs[index];
      if (cost === undefined) continue;
      const before = { bytes: allocated(cluster), ms: processorTime(pid)["server"] ?? 0 };
      const rest = targets.values();
      const worker = async (): Promise<void> => {
        for (const pod of rest) {
          cost.answerBytes = await send(variant, pod, String(written++).padStart(FILL_BYTES, "x"));
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      const { server = 0 } = processorTime(pid);
      const bytes = allocated(cluster) - before.bytes - idle;
      // The first round is there to warm up.
      if (round < 0) continue;
      cost.processorMs.push((server - before.ms) / pods);
      cost.allocatedKib.push(bytes / 1024 / pods);
    }
  }
  return costs;
}

async function createTargets(cluster: Cluster, count: number): Promise<Target[]> {
  await using api = connect({ kubeconfig: cluster.kubeconfig, userAgent: "hot-bench" });
  await createSurroundings(api);
  const from = sidecarSet(1);
  const targets: Target[] = [];
  for (let index = 0; index < count; index++) {
    const { metadata, spec } = await api.create<Pod>(RESOURCES.pods, nobodys(injected(`web-${index}`, from)));
    const at = spec.containers.length - 1;
    const { name: container = "", image = "" } = spec.containers[at] ?? {};
    targets.push({
      name: metadata.name ?? "",
      resourceVersion: metadata.resourceVersion ?? "",
      at,
      container,
      image,
    });
  }
  return targets;
}

/** Sends one PATCH over connections that are kept; returns the bytes of its answer. */
function client({ kubeconfig }: Cluster): (variant: WriteVariant, pod: Target, fill: string) => Promise<number> {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, "utf8")) as {
    clusters: [{ cluster: { server: string; "certificate-authority-data": string } }];
    users: [{ user: { "client-certificate-data": string; "client-key-data": string } }];
  };
  const [{ cluster }, { user }] = [clusters[0], users[0]];
  const decoded = (data: string): Buffer => Buffer.from(data, "base64");
  const agent = new Agent({
    keepAlive: true,
    ca: decoded(cluster["certificate-authority-data"]),
    cert: decoded(user["client-certificate-data"]),
    key: decoded(user["client-key-data"]),
  });
  return async ({ type, query = "", headers, body }, pod, fill) => {
    const url = `${cluster.server}/api/v1/namespaces/${namespace}/pods/${pod.name}${query}`;
    const sent = request(url, {
      method: "PATCH",
      agent,
      headers: { accept: "application/json", "content-type": type, ...headers },
    });
    sent.end(JSON.stringify(body(pod, fill)));
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    const received = await text(answer);
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${received}`);
    pod.resourceVersion = (JSON.parse(received) as Pod).metadata.resourceVersion ?? "";
    return received.length;
  };
}

/** Bytes that the API server has allocated since its start: what it does, told without the noise of the machine. */
function allocated(cluster: Cluster): number {
  const line = /^go_memstats_alloc_bytes_total (\S+)$/m.exec(cluster.kubectl(["get", "--raw", "/metrics"]));
  return Number(line?.[1]);
}
