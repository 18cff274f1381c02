// SPDX-License-Identifier: Apache-2.0
import type { Pod, PodCondition, PodStatus } from "@hot/spec";
import { ApiError, RESOURCES, sleep, type Api, type Clock } from "@hot/kube";

const RETRY_MS = 1_000;

/**
 * Writes one pod's status to the API, in order and one write at a time. While the API answers every status that was set is
 * written, so that a watcher sees each step; after a failed write only the newest counts.
 */
export class StatusWriter {
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #pod: { name: string; namespace: string; uid: string };
  readonly #stop = new AbortController();
  #current: PodStatus;
  #written: PodStatus;
  #queue: PodStatus[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: { api: Api; pod: Pod; clock: Clock; log: (line: string) => void }) {
    const { name = "", namespace = "", uid = "" } = options.pod.metadata;
    this.#api = options.api;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#pod = { name, namespace, uid };
    this.#current = options.pod.status ?? {};
    this.#written = this.#current;
  }

  /** The status as it was set last, written or not. */
  get current(): PodStatus {
    return this.#current;
  }

  set(status: PodStatus): void {
    if (this.#stop.signal.aborted || JSON.stringify(status) === JSON.stringify(this.#current)) return;
    this.#current = status;
    this.#queue.push(status);
    this.#writing ??= this.#drain();
  }

  /** Resolves when all that was set is written, or cannot be any more. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #drain(): Promise<void> {
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        if (this.#stop.signal.aborted) return;
        if (await this.#write(next)) continue;
        await sleep(this.#clock, RETRY_MS, this.#stop.signal);
        this.#queue = [this.#queue.at(-1) ?? next];
      }
    } finally {
      this.#writing = undefined;
    }
  }

  /** False = to be tried again. */
  async #write(status: PodStatus): Promise<boolean> {
    const { name, namespace, uid } = this.#pod;
    // the uid is a precondition: a pod of the same name that came later is not touched
    const body = { metadata: { uid }, status: withRemovals(status, this.#written) };
    const options = { namespace, subresource: "status", fieldManager: "kubelet", signal: this.#stop.signal };
    try {
      await this.#api.patch(RESOURCES.pods, name, { type: "strategic", body }, options);
      this.#written = status;
      return true;
    } catch (error) {
      if (this.#stop.signal.aborted) return true;
      if (error instanceof ApiError && error.status === 404) {
        this.stop(); // the pod is gone
        return true;
      }
      this.#log(`status of pod ${namespace}/${name} not written: ${(error as Error).message}`);
      return false;
    }
  }
}

/** Conditions are merged by type, so a field that a condition has no longer must be sent as null. */
function withRemovals(status: PodStatus, written: PodStatus): object {
  const conditions = status.conditions?.map((condition) => {
    const before: Partial<PodCondition> = written.conditions?.find((one) => one.type === condition.type) ?? {};
    const gone = Object.keys(before).filter((field) => !Object.hasOwn(condition, field));
    return { ...condition, ...Object.fromEntries(gone.map((field) => [field, null])) };
  });
  return conditions === undefined ? status : { ...status, conditions };
}
