// SPDX-License-Identifier: Apache-2.0
// A plain client: PATCHes as large as the controller's, as fast as the API server answers them, and hot upgrades by hand.
import { connect, createReflector, RESOURCES, type KubeObject } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { handStep } from "../api/by-hand.ts";
import { NAMESPACES } from "../api/objects.ts";
import { answering } from "../child.ts";

export interface Asked {
  /** Requests under way at once. */
  readonly atOnce: number;
  /** Of one body, as the controller's are. */
  readonly bytes: number;
}

export interface Written {
  readonly writes: number;
  readonly ms: number;
}

const [kubeconfig = ""] = process.argv.slice(2);
const { patched: namespace } = NAMESPACES;
const api = connect({ kubeconfig, userAgent: "hot-bench-writer" });
let filled = 0;

/** The same members as in the controller's: a precondition, annotations, images. */
function bodyOf(pod: Pod, images: Readonly<Record<string, string>>, bytes: number): object {
  const containers = Object.entries(images).map(([name, image]) => ({ name, image }));
  const body = (fill: string): object => ({
    metadata: {
      resourceVersion: pod.metadata.resourceVersion,
      annotations: { "bench.hot.internal/fill": fill },
    },
    spec: { containers },
  });
  const rest = bytes - JSON.stringify(body("")).length;
  return body(String(filled++).padStart(Math.max(1, rest), "x"));
}

function patch(pod: Pod, images: Readonly<Record<string, string>>, bytes: number): Promise<Pod> {
  const { name = "" } = pod.metadata;
  const body = bodyOf(pod, images, bytes);
  return api.patch<Pod & KubeObject>(RESOURCES.pods, name, { type: "strategic", body }, { namespace });
}

/** Each pod twice, and its images stay as they are: no kubelet has anything to do. */
async function plain({ atOnce, bytes }: Asked): Promise<Written> {
  const { items } = await api.list<Pod & KubeObject>(RESOURCES.pods, { namespace });
  const begun = performance.now();
  let rest = items.values();
  let [round, writes] = [0, 0];
  const second: Pod[] = [];
  const worker = async (): Promise<void> => {
    for (const pod of rest) {
      const first = pod.spec.containers[0];
      const after = await patch(pod, { [first?.name ?? ""]: first?.image ?? "" }, bytes);
      writes++;
      if (round === 0) second.push(after);
    }
  };
  for (; round < 2; round++) {
    await Promise.all(Array.from({ length: atOnce }, worker));
    rest = second.values();
  }
  return { writes, ms: performance.now() - begun };
}

/** A hot upgrade of each pod to this image, with what the kubelets do in between; whoever is ready is reset first. */
async function byHand({ atOnce, bytes, wish }: Asked & { readonly wish: string }): Promise<Written> {
  const stop = new AbortController();
  const pods = createReflector<Pod & KubeObject>({ api, resource: RESOURCES.pods, namespace });
  const running = pods.run(stop.signal);
  await pods.waitForSync(stop.signal);
  const settled = Promise.withResolvers<void>();
  const [starts, resets] = [new Map<string, Pod>(), new Map<string, Pod>()];
  let [open, underWay, writes] = [pods.store.list().length, 0, 0];
  const done = new Set<string>();
  const begun = performance.now();
  const look = (key: string, pod: Pod): void => {
    const step = handStep(pod, wish);
    starts.delete(key);
    resets.delete(key);
    if (step.do === "upgrade") starts.set(key, pod);
    if (step.do === "reset") resets.set(key, pod);
    if (step.do === "nothing" && !done.has(key)) {
      done.add(key);
      if (--open === 0) settled.resolve();
    }
  };
  const advance = (): void => {
    while (underWay < atOnce) {
      const [next] = resets.size > 0 ? resets : starts;
      if (next === undefined) return;
      const [key, pod] = next;
      starts.delete(key);
      resets.delete(key);
      const step = handStep(pod, wish);
      if (!("images" in step)) continue;
      underWay++;
      patch(pod, step.images, bytes).then(
        () => {
          writes++;
          underWay--;
          advance();
        },
        (error: unknown) => settled.reject(error instanceof Error ? error : new Error(String(error))),
      );
    }
  };
  try {
    using _ = pods.subscribe(({ key, object }) => {
      look(key, object);
      advance();
    });
    for (const pod of pods.store.list()) look(`${namespace}/${pod.metadata.name}`, pod);
    advance();
    await settled.promise;
    return { writes, ms: performance.now() - begun };
  } finally {
    stop.abort();
    await running;
  }
}

answering({ plain, byHand });
