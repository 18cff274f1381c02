// SPDX-License-Identifier: Apache-2.0
import { createReflector, RESOURCES, type KubeObject } from "@hot/kube";
import type { Container, ContainerStatus, Pod, PodSpec } from "@hot/spec";
import { imageOf, type NodeTarget } from "./target.ts";

type Seen = Pod & KubeObject;
type Tag = Parameters<typeof imageOf>[0];

/** As long as a test may wait for anything. */
const PATIENCE_MS = 90_000;

/** The pods of one namespace on the node under test, with every state that a watch has told. */
export class Pods implements AsyncDisposable {
  readonly #target: NodeTarget;
  readonly #namespace: string;
  readonly #seen: Pod[] = [];
  readonly #gone = new Set<string>();
  readonly #waiting = new Set<() => void>();
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;

  private constructor(target: NodeTarget, namespace: string) {
    this.#target = target;
    this.#namespace = namespace;
  }

  static async watch(target: NodeTarget): Promise<Pods> {
    const name = `node-contract-${process.pid}-${Date.now().toString(36)}`;
    await target.api.create(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    const pods = new Pods(target, name);
    const reflector = createReflector<Seen>({ api: target.api, resource: RESOURCES.pods, namespace: name });
    reflector.subscribe((change) => pods.#told(change.type === "deleted", change.object));
    pods.#running = reflector.run(pods.#ending.signal);
    await reflector.waitForSync(pods.#ending.signal);
    return pods;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { api } = this.#target;
    const { items } = await api.list<Seen>(RESOURCES.pods, { namespace: this.#namespace });
    for (const { metadata } of items) await this.delete(metadata.name ?? "", 0).catch(() => undefined);
    await api.delete(RESOURCES.namespaces, this.#namespace);
    this.#ending.abort();
    await this.#running;
  }

  add(name: string, spec: PodSpec, annotations: Record<string, string> = {}): Promise<Pod> {
    const body = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, annotations },
      spec: { nodeName: this.#target.nodeName, automountServiceAccountToken: false, ...spec },
    };
    return this.#target.api.create<Seen>(RESOURCES.pods, body, { namespace: this.#namespace });
  }

  async setImage(name: string, container: string, tag: Tag, annotations: Record<string, string> = {}): Promise<Pod> {
    const body = { metadata: { annotations }, spec: { containers: [{ name: container, image: imageOf(tag) }] } };
    return this.#target.api.patch<Seen>(
      RESOURCES.pods,
      name,
      { type: "strategic", body },
      { namespace: this.#namespace },
    );
  }

  async delete(name: string, gracePeriodSeconds?: number): Promise<void> {
    const grace = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
    await this.#target.api.delete(RESOURCES.pods, name, { namespace: this.#namespace, ...grace });
  }

  /** Its states, oldest first. */
  history(name: string): readonly Pod[] {
    return this.#seen.filter(({ metadata }) => metadata.name === name);
  }

  /** Its newest state that the watch has told. */
  now(name: string): Pod {
    const pod = this.history(name).at(-1);
    if (pod === undefined) throw new RangeError(`no pod ${name}`);
    return pod;
  }

  /** The first state, from the newest one on, for which `accept` holds. */
  async until(name: string, what: string, accept: (pod: Pod) => boolean): Promise<Pod> {
    let at = Math.max(0, this.history(name).length - 1);
    for (const deadline = performance.now() + PATIENCE_MS; ;) {
      const states = this.history(name).slice(at);
      const found = states.find(accept);
      if (found !== undefined) return found;
      at += states.length;
      if (!(await this.#news(deadline))) {
        const last = this.history(name).at(-1);
        throw new Error(`pod ${name}: ${what}: waited in vain; last: ${JSON.stringify(last?.status, undefined, 1)}`);
      }
    }
  }

  async untilGone(name: string): Promise<void> {
    for (const deadline = performance.now() + PATIENCE_MS; !this.#gone.has(name);) {
      if (!(await this.#news(deadline))) throw new Error(`pod ${name} is still there`);
    }
  }

  /** What the API showed about a container, state by state, without repetitions. */
  states(name: string, container: string, show: (status: ContainerStatus) => string): string[] {
    const all = this.history(name).flatMap((pod) => statusOf(pod, container) ?? []);
    return all.map(show).filter((text, at, list) => text !== list[at - 1]);
  }

  #told(gone: boolean, pod: Pod): void {
    this.#seen.push(pod);
    if (gone) this.#gone.add(pod.metadata.name ?? "");
    for (const wake of this.#waiting) wake();
  }

  /** Resolves with whether there was news before the deadline. */
  #news(deadline: number): Promise<boolean> {
    const left = deadline - performance.now();
    return new Promise((resolve) => {
      const end = (news: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(news);
      };
      const wake = (): void => end(true);
      const timer = setTimeout(() => end(false), left);
      this.#waiting.add(wake);
    });
  }
}

export function container(name: string, tag: Tag, more: Partial<Container> = {}): Container {
  return { name, image: imageOf(tag), imagePullPolicy: "IfNotPresent", ...more };
}

export function statusOf(pod: Pod, name: string): ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  return [...containerStatuses, ...initContainerStatuses].find((one) => one.name === name);
}

export const conditionOf = (pod: Pod, type: string): { status?: string; reason?: string } | undefined =>
  pod.status?.conditions?.find((one) => one.type === type);

export const isReady = (pod: Pod): boolean => conditionOf(pod, "Ready")?.status === "True";
