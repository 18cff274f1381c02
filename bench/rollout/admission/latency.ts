// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { podReview } from "../../../apps/webhook/test/reviews.ts";
import { percentile } from "../../cluster/statistics.ts";
import { startChild, type Child } from "../child.ts";
import { EVEN, podOf, SETS } from "../memory/fleet.ts";
import type { Address } from "../servers/admission.ts";
import type { FirstPlans, Spent } from "../servers/cache.ts";
import { atMost, told, type Row } from "../table.ts";

const EVERY_MS = 10;
const IDLE_MS = 8_000;
const server = (name: string): string => join(import.meta.dirname, "../servers", `${name}.ts`);

export interface AdmissionResults {
  readonly pods: number;
  /** Milliseconds of each answer: at rest; while its process reads all pods anew; while another one does. */
  readonly idle: readonly number[];
  readonly together: readonly number[];
  readonly apart: readonly number[];
  /** While another one reads and parses the same pages and does nothing with them. */
  readonly beside: readonly number[];
}

/** Reviews come at a fixed rate, whether those before are answered or not, so that a stop delays all that came in it. */
export async function admissionDuringResync(pods: number): Promise<AdmissionResults> {
  await using lists = startChild(server("lists"), [String(pods)]);
  const kubeconfig = await lists.ask<string>("kubeconfig");
  await using admission = startChild(server("admission"), [kubeconfig]);
  const ask = client(await admission.ask<Address>("address"));
  await during(ask, sleep(IDLE_MS / 2));
  const idle = await during(ask, sleep(IDLE_MS));
  const together = await during(ask, admission.ask<number>("resync"));
  const whileAnother = async (work: "synchronise" | "parse"): Promise<number[]> => {
    await using cache = startChild(server("cache"), [kubeconfig]);
    await cache.ask("compiled");
    return await during(ask, finished(cache, work));
  };
  const apart = await whileAnother("synchronise");
  const beside = await whileAnother("parse");
  await lists.ask("close");
  return { pods, idle, together, apart, beside };
}

async function finished(cache: Child, work: "synchronise" | "parse"): Promise<void> {
  await cache.ask<Spent>(work);
  if (work === "synchronise") await cache.ask<FirstPlans>("firstPlans", SETS);
}

async function during(ask: () => Promise<number>, work: Promise<unknown>): Promise<number[]> {
  const answers: Promise<number>[] = [];
  const timer = setInterval(() => answers.push(ask()), EVERY_MS);
  await work.finally(() => clearInterval(timer));
  return Promise.all(answers);
}

/** Sends the review of a pod that gets one SidecarSet; milliseconds to its answer. */
function client({ port, authority }: Address): () => Promise<number> {
  const agent = new Agent({ keepAlive: true, ca: authority });
  const { metadata, spec } = podOf(0, EVEN);
  const { annotations: _, ...plain } = metadata;
  const [main] = spec.containers;
  const body = JSON.stringify(
    podReview({ metadata: plain, spec: { containers: main === undefined ? [] : [main] } }, { namespace: "team-0" }),
  );
  return async () => {
    const begun = performance.now();
    const sent = request({ host: "127.0.0.1", port, agent, path: "/mutate-pod", method: "POST" });
    sent.end(body);
    const [response] = await once(sent, "response");
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const { response: answer } = JSON.parse(Buffer.concat(chunks).toString()) as { response?: { patch?: string } };
    if (answer?.patch === undefined) throw new Error("the bench gets no injection");
    return performance.now() - begun;
  };
}

export function admissionRows({ pods, idle, together, apart, beside }: AdmissionResults): Row[] {
  const both = (all: readonly number[]): string => [0.5, 0.99].map((at) => percentile(all, at).toFixed(1)).join(" / ");
  const ratio = (all: readonly number[]): number => percentile(all, 0.99) / percentile(idle, 0.99);
  return [
    told(`review of a pod, at rest, p50 / p99 of ${idle.length}`, "ms", both(idle)),
    told(`  both roles in one process, resync of ${pods} pods, ${together.length} reviews`, "ms", both(together)),
    atMost("  p99 of that at rest", "×", 2, ratio(together)),
    told(`  the roles in two processes, ${apart.length} reviews`, "ms", both(apart)),
    atMost("  p99 of that at rest", "×", 2, ratio(apart)),
    told(`  while another process only reads and parses, ${beside.length} reviews`, "ms", both(beside)),
    told("  p99 of that at rest", "×", ratio(beside)),
  ];
}
