// SPDX-License-Identifier: Apache-2.0
import { createReflector, fencedApi, RESOURCES, type EventText, type KubeObject } from "@hot/kube";
import { createFakeClock, FakeApi } from "@hot/kube/testing";
import { REVISION_OWNER_LABEL, type ControllerRevision, type Pod, type SidecarSet } from "@hot/spec";
import { createController, projectPod, type Controller } from "../../src/index.ts";
import { SIDECAR_SETS } from "../../src/act/write-status.ts";
import { T0 } from "./builders.ts";
import { carriedOut, type Fate } from "./kubelet.ts";

/** A fake API with controllers on it, and a kubelet that acts when it is told to. */
export class Cluster {
  readonly clock = createFakeClock(T0);
  readonly api = new FakeApi({ clock: this.clock });
  /** What is checked before each write of the controller. */
  fence: () => void = () => undefined;
  /** Counters add up, gauges and the last observation stay; by name and labels. */
  readonly metrics = new Map<string, number>();
  readonly events: (EventText & { on: string })[] = [];
  fateOf: (image: string) => Fate = () => "runs";
  /** Where ControllerRevisions are kept; undefined: no history. */
  history: string | undefined;
  /** The controller runs when its caches are complete, as in a replica that becomes the leader. */
  late = false;
  #running: { abort: AbortController; ended: Promise<unknown> } | undefined;
  controller: Controller | undefined;

  constructor(pods: readonly Pod[], ...sidecarSets: readonly SidecarSet[]) {
    this.api.seed(RESOURCES.namespaces, { metadata: { name: "ns1", labels: {} } });
    for (const pod of pods) this.api.seed(RESOURCES.pods, pod);
    for (const one of sidecarSets) this.api.seed(SIDECAR_SETS, one);
  }

  async start(): Promise<void> {
    const { api, clock } = this;
    const abort = new AbortController();
    const sidecarSets = createReflector<SidecarSet & KubeObject>({ api, resource: SIDECAR_SETS, clock });
    const namespaces = createReflector({ api, resource: RESOURCES.namespaces, clock });
    const pods = createReflector({ api, resource: RESOURCES.pods, project: projectPod, clock });
    const namespace = this.history;
    const revisions =
      namespace === undefined
        ? undefined
        : createReflector<ControllerRevision & KubeObject>({
            api,
            clock,
            namespace,
            resource: RESOURCES.controllerRevisions,
            labelSelector: REVISION_OWNER_LABEL,
          });
    const controller = createController({
      api: fencedApi(api, { fence: () => this.fence(), writes: new AbortController().signal }),
      sidecarSets,
      namespaces,
      pods,
      ...(namespace !== undefined && revisions && { history: { namespace, revisions } }),
      clock,
      random: () => 0.5,
      onMetric: (name, labels, value) => {
        const key = [name, ...Object.values(labels)].join(" ");
        if (value === undefined) this.metrics.delete(key);
        else this.metrics.set(key, name.endsWith("_total") ? (this.metrics.get(key) ?? 0) + value : value);
      },
      events: { event: (on, text) => void this.events.push({ on: on.metadata.name ?? "", ...text }) },
    });
    this.controller = controller;
    const caches = [sidecarSets, namespaces, pods, ...(revisions ? [revisions] : [])].map((one) =>
      one.run(abort.signal),
    );
    if (this.late) await this.settle();
    this.#running = { abort, ended: Promise.all([...caches, controller.run(abort.signal)]) };
    await this.settle();
  }

  /** As a kill: caches, expectations and receipts are gone. */
  async stop(): Promise<void> {
    this.#running?.abort.abort();
    await this.#running?.ended;
    this.#running = undefined;
  }

  /** The controller is killed as soon as its n-th write of a pod is carried out, before it hears of it. */
  killAfter(n: number): void {
    const patch = this.api.patch.bind(this.api);
    let writes = 0;
    this.api.patch = async <T>(...call: Parameters<typeof patch>): Promise<T> => {
      const after = await patch<T>(...call);
      if (call[0].plural === "pods" && ++writes === n) this.#running?.abort.abort();
      return after;
    };
  }

  get killed(): boolean {
    return this.#running?.abort.signal.aborted ?? false;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Lets everything happen that needs no time and no kubelet. */
  async settle(ms = 0): Promise<void> {
    for (let i = 0; i < 5; i++) await this.clock.advance(0);
    if (ms > 0) await this.clock.advance(ms);
    for (let i = 0; i < 5; i++) await this.clock.advance(0);
  }

  /** Kubelets carry out every pod's spec; returns how many pods changed. */
  async kubelets(): Promise<number> {
    const pods = await this.pods();
    const changed = pods.flatMap((pod) => carriedOut(pod, this.fateOf) ?? []);
    for (const pod of changed) this.api.seed(RESOURCES.pods, pod);
    await this.settle();
    return changed.length;
  }

  /** Kubelets and controller take turns until nothing changes any more. */
  async converge(turns = 50): Promise<void> {
    for (let i = 0; i < turns; i++) {
      const before = await this.versions();
      await this.kubelets();
      await this.settle(1000);
      if (this.killed) await this.restart();
      if ((await this.versions()) === before) return;
    }
    throw new Error("it does not come to rest");
  }

  async pods(): Promise<Pod[]> {
    return (await this.api.list<Pod>(RESOURCES.pods)).items;
  }

  async pod(name = "web-0"): Promise<Pod> {
    return this.api.get<Pod>(RESOURCES.pods, name, { namespace: "ns1" });
  }

  async sidecarSet(name = "mesh"): Promise<SidecarSet> {
    return this.api.get<SidecarSet>(SIDECAR_SETS, name);
  }

  async edit(change: (one: SidecarSet) => SidecarSet, name = "mesh"): Promise<void> {
    const { resourceVersion: _, ...before } = (await this.sidecarSet(name)).metadata;
    const current = await this.sidecarSet(name);
    const after = change(current);
    this.api.seed(SIDECAR_SETS, {
      ...after,
      metadata: { ...before, ...after.metadata, generation: (before.generation ?? 0) + 1 },
      ...(current.status && { status: current.status }),
    });
    await this.settle();
  }

  patches(plural = "pods"): { name: string; body: { metadata: Record<string, unknown>; spec?: unknown } }[] {
    return this.api.calls
      .filter((call) => call.verb === "patch" && call.resource.plural === plural && call.subresource === undefined)
      .map((call) => ({ name: call.name ?? "", body: (call.body as { body: never }).body }));
  }

  private async versions(): Promise<string> {
    const sets = (await this.api.list(SIDECAR_SETS)).items;
    return [...(await this.pods()), ...sets].map((one) => one.metadata.resourceVersion).join();
  }
}

/** Images by container name. */
export function images(pod: Pod): Record<string, string> {
  return Object.fromEntries(pod.spec.containers.map((one) => [one.name, one.image ?? ""]));
}
