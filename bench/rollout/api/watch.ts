// SPDX-License-Identifier: Apache-2.0
import { createReflector, RESOURCES, type Api, type KubeObject } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { inspect, type Sighting } from "./invariants.ts";
import { NAMESPACES } from "./objects.ts";
import { patchSize } from "./patch-size.ts";
import { Progress } from "./progress.ts";

const LIMIT_MS = 300_000;

/**
 * What one client of the API server sees of the pods, event by event: of those that are rolled, and for the kubelets of
 * all. One watch for both, so that looking on costs neither the API server nor the processors more than need be.
 */
export class PodWatch {
  readonly violations: string[] = [];
  /** Events that the invariants were held against. */
  inspected = 0;
  /** Bytes of each PATCH of an image that was seen. */
  patchSizes: number[] = [];
  readonly #seen = new Map<string, Sighting>();
  readonly #pods;
  #onEvent: (key: string, pod: Pod) => void = () => undefined;

  constructor(api: Api) {
    this.#pods = createReflector<Pod & KubeObject>({ api, resource: RESOURCES.pods });
    this.#pods.subscribe(({ key, object }) => {
      if (object.metadata.namespace !== NAMESPACES.rolled) return;
      const before = this.#seen.get(key);
      const { seen, violations } = inspect(before, object);
      this.#seen.set(key, seen);
      this.inspected++;
      this.violations.push(...violations.map((what) => `${key}: ${what}`));
      const bytes = before === undefined ? 0 : patchSize(before.pod, object);
      if (bytes > 0) this.patchSizes.push(bytes);
      this.#onEvent(key, object);
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    void this.#pods.run(signal);
    await this.#pods.waitForSync(signal);
  }

  /** Any of the rolled pods. */
  sample(): Pod | undefined {
    return this.#pods.store.list().find(({ metadata }) => metadata.namespace === NAMESPACES.rolled);
  }

  /** Every state of every pod; nobody deletes one. */
  subscribe(onPod: (key: string, pod: Pod) => void): Disposable {
    return this.#pods.subscribe(({ key, object }) => onPod(key, object));
  }

  /** Resolves when all pods have settled on this image. What they reached before is there from the beginning. */
  async until(pods: number, wish: string, begin: () => Promise<void>): Promise<Progress> {
    const progress = new Progress(pods, wish);
    const settled = Promise.withResolvers<void>();
    const late = setTimeout(() => settled.reject(new Error(`${wish}: not within ${LIMIT_MS} ms`)), LIMIT_MS);
    try {
      this.#onEvent = (key, pod) => {
        if (progress.observe(key, pod, performance.now())) settled.resolve();
      };
      await begin();
      for (const [key, { pod }] of this.#seen) this.#onEvent(key, pod);
      await settled.promise;
      return progress;
    } finally {
      clearTimeout(late);
      this.#onEvent = () => undefined;
    }
  }
}
