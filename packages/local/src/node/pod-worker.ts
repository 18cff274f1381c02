// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { ApiError, RESOURCES, sleep } from "@hot/kube";
import type { Container, Pod, PodStatus } from "@hot/spec";
import { Backoff } from "./backoff.ts";
import type { WaitingReason } from "./container-status.ts";
import { runHandler } from "./handler.ts";
import type { Instance } from "./instance.ts";
import { graceSeconds, killContainer } from "./kill-container.ts";
import type { NodeParts } from "./node-parts.ts";
import { planPod, type PodPlan } from "./pod.ts";
import type { ProbeKind } from "./probe.ts";
import { Probers } from "./probers.ts";
import { startContainer } from "./start-container.ts";
import { makePodStatus, withProbeResult } from "./status.ts";
import { StatusWriter } from "./status-writer.ts";

const CRASH_BACKOFF = { base: 10_000, max: 300_000 };
/** After a round with a failed start the next one comes by itself, at the latest. */
const RETRY_MS = 10_000;
/** ... and its reason is reported this much later, so that a watcher also sees the reason before. */
const REASON_MS = 1_000;

/**
 * One pod on this node. It works in rounds, one at a time: report the status, then plan, then do all kills and starts of
 * the plan to their end. So while a hook runs nothing else happens to the pod and no container status is written; only
 * what probes say about the instances in the status gets through. Even a deletion waits for the hook.
 */
export class PodWorker {
  readonly #parts: NodeParts;
  readonly #uid: string;
  readonly #writer: StatusWriter;
  readonly #probers: Probers;
  readonly #backoff = new Backoff(CRASH_BACKOFF);
  readonly #reasons = new Map<string, WaitingReason>();
  readonly #onGone: () => void;
  /** Aborts what a round waits for: the pod is being deleted or the kubelet dies. */
  readonly #interrupt = new AbortController();
  readonly #interrupted = once(this.#interrupt.signal, "abort");
  /** Cuts the grace period of a pod that is being deleted. */
  readonly #hurry = new AbortController();
  readonly #death = new AbortController();
  #pod: Pod;
  #removed = false;
  #shorterGrace: Disposable | undefined;
  #pending = false;
  #working = false;
  #graceEndsAt: number | undefined;
  #retry: Disposable | undefined;
  #laterReport: Disposable | undefined;

  constructor(parts: NodeParts, pod: Pod, onGone: () => void) {
    const { uid = "" } = pod.metadata;
    const { clock, runtime } = parts;
    this.#parts = parts;
    this.#pod = pod;
    this.#uid = uid;
    this.#onGone = onGone;
    this.#writer = new StatusWriter({ api: parts.api, pod, clock, log: parts.log });
    this.#probers = new Probers(pod, {
      clock,
      reported: (name) => this.#writer.current.containerStatuses?.find((one) => one.name === name),
      attempt: (container, probe, id, timeoutMs) =>
        runHandler(
          probe,
          { container, podIP: this.#podIP() ?? "", exec: runtime.exec.bind(runtime, id) },
          { timeoutMs },
        ),
      onVerdict: (kind, container, id, verdict, message) => this.#onVerdict(kind, container, id, verdict, message),
    });
    if (pod.metadata.deletionTimestamp !== undefined) this.#interrupt.abort();
    this.trigger();
  }

  /** The pod has changed in the API. */
  update(pod: Pod): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) this.#terminateWithin(graceSeconds(pod));
    this.trigger();
  }

  /** The pod is no longer in the API: its containers end as fast as they may. */
  remove(): void {
    this.#removed = true;
    this.#terminateWithin(0);
    this.trigger();
  }

  /** Something may have changed: there will be another round. */
  trigger(): void {
    this.#pending = true;
    if (!this.#working) void this.#work();
  }

  /** The kubelet dies: hooks and probes are cut, containers go on. */
  crash(): void {
    this.#death.abort();
    this.#interrupt.abort();
    this.#writer.stop();
    this.#probers.stop();
    this.#retry?.[Symbol.dispose]();
    this.#laterReport?.[Symbol.dispose]();
    this.#shorterGrace?.[Symbol.dispose]();
  }

  async #work(): Promise<void> {
    this.#working = true;
    try {
      while (this.#pending && !this.#death.signal.aborted) {
        this.#pending = false;
        await this.#round();
      }
    } catch (error) {
      this.#parts.log(`pod ${this.#name()}: ${(error as Error).stack}`);
      this.#retryIn(RETRY_MS);
    } finally {
      this.#working = false;
    }
  }

  async #round(): Promise<void> {
    this.#retry?.[Symbol.dispose]();
    this.#laterReport?.[Symbol.dispose]();
    if (this.#removed || this.#pod.metadata.deletionTimestamp !== undefined) return this.#terminate();
    const pod = this.#pod;
    if (isFinished(pod.status)) return;
    const snapshot = this.#instances();
    if (isFinished(this.#report(pod))) return;
    if (this.#podIP() === undefined) {
      this.#parts.runtime.sandboxes.create(this.#uid);
      this.#pending = true; // a new sandbox is news, as a container that has started is
    }
    const plan = planPod(pod, snapshot, (instance) => this.#probers.health(instance));
    for (const { instance, container, cause, message } of plan.kill) {
      this.#parts.log(`pod ${this.#name()}: ${message}`);
      await this.#kill(instance, container, graceSeconds(pod, container, cause));
    }
    await this.#startAll(pod, plan, snapshot);
  }

  async #startAll(pod: Pod, plan: PodPlan, snapshot: readonly Instance[]): Promise<void> {
    const sandbox = this.#parts.runtime.sandboxes.create(this.#uid);
    const waits: number[] = [];
    let news = false;
    for (const { container, init } of plan.start) {
      if (this.#interrupt.signal.aborted) return;
      const failure = await startContainer(this.#parts, {
        pod,
        container,
        init,
        sandbox,
        snapshot,
        backoff: this.#backoff,
        interrupt: this.#interrupt.signal,
        death: this.#death.signal,
        kill: (instance, container) => this.#kill(instance, container, graceSeconds(pod)),
      });
      const before = this.#reasons.get(container.name);
      if (failure === undefined) {
        this.#reasons.delete(container.name);
        continue;
      }
      const { reason, message, retryMs = RETRY_MS } = failure;
      this.#reasons.set(container.name, { reason, message });
      waits.push(retryMs);
      if (before?.reason === reason) continue;
      news = true;
      this.#parts.log(`pod ${this.#name()}: container ${container.name}: ${reason}: ${message}`);
    }
    if (waits.length > 0) this.#retryIn(Math.min(RETRY_MS, ...waits));
    if (news) this.#reportIn(REASON_MS);
  }

  /** Ends one container; the deletion of the pod takes over from it. */
  async #kill(instance: Instance, container: Container, graceSeconds: number): Promise<void> {
    const what = { instance, container, podIP: this.#podIP() ?? "", graceSeconds };
    await Promise.race([killContainer(this.#parts, what, this.#hurry.signal), this.#interrupted]);
  }

  #report(pod: Pod, terminated = false): PodStatus {
    const status = makePodStatus({
      pod,
      instances: this.#instances(),
      podIP: this.#podIP(),
      hostIP: this.#parts.hostIP,
      reasons: this.#reasons,
      ready: (instance) => this.#probers.ready(instance),
      started: (instance) => this.#probers.started(instance),
      terminated,
      previous: this.#writer.current,
      now: this.#parts.clock.now(),
    });
    this.#writer.set(status);
    this.#probers.wake();
    return status;
  }

  #onVerdict(kind: ProbeKind, container: Container, id: string, verdict: boolean, message: string): void {
    const { clock, log } = this.#parts;
    if (!verdict) log(`pod ${this.#name()}: ${kind} probe of ${container.name} failed: ${message}`);
    const change =
      kind === "readiness" ? { ready: verdict } : kind === "startup" && verdict ? { started: true } : undefined;
    if (change !== undefined) {
      const { current } = this.#writer;
      this.#writer.set(withProbeResult(current, id, change, clock.now()));
      this.#probers.wake();
    }
    this.trigger();
  }

  /** Ends all containers, reports it, and has the API forget the pod. */
  async #terminate(): Promise<void> {
    const pod = this.#pod;
    this.#graceEndsAt ??= this.#parts.clock.now() + this.#grace() * 1000;
    this.#probers.stop("liveness", "startup");
    this.#report(pod);
    const byName = new Map(pod.spec.containers.concat(pod.spec.initContainers ?? []).map((one) => [one.name, one]));
    const running = this.#instances().filter((instance) => instance.exit === undefined);
    await Promise.all(
      running.map((instance) => {
        const container = byName.get(instance.container) ?? { name: instance.container };
        const what = { instance, container, podIP: this.#podIP() ?? "", graceSeconds: this.#grace() };
        return killContainer(this.#parts, what, this.#hurry.signal);
      }),
    );
    if (this.#death.signal.aborted) return;
    this.#probers.stop();
    if (!this.#removed) {
      this.#report(pod, true);
      await this.#writer.flush();
      await this.#deleteFromApi();
    }
    if (this.#death.signal.aborted) return;
    this.crash();
    this.#parts.runtime.removePod(this.#uid);
    this.#parts.images.forget(this.#uid);
    this.#onGone();
  }

  async #deleteFromApi(): Promise<void> {
    const { api, clock, log } = this.#parts;
    const { name = "", namespace = "" } = this.#pod.metadata;
    while (!this.#death.signal.aborted && !this.#removed) {
      try {
        await api.delete(RESOURCES.pods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid: this.#uid } });
        return;
      } catch (error) {
        if (error instanceof ApiError && [404, 409].includes(error.status)) return;
        log(`pod ${this.#name()} not deleted: ${(error as Error).message}`);
        await sleep(clock, REASON_MS, this.#death.signal);
      }
    }
  }

  /** The pod must end: what a round waits for is cut, and a grace period that runs is shortened if this one ends earlier. */
  #terminateWithin(seconds: number): void {
    this.#interrupt.abort();
    const { clock } = this.#parts;
    const endsAt = clock.now() + Math.max(seconds, 2) * 1000;
    if (this.#graceEndsAt === undefined || endsAt >= this.#graceEndsAt) return;
    this.#graceEndsAt = endsAt;
    this.#shorterGrace?.[Symbol.dispose]();
    this.#shorterGrace = clock.after(endsAt - clock.now(), () => this.#hurry.abort());
  }

  /** A pod that was removed without a deletion has no time; any other at least a second. */
  #grace(): number {
    return this.#removed ? 1 : Math.max(graceSeconds(this.#pod), 1);
  }

  #retryIn(ms: number): void {
    this.#retry?.[Symbol.dispose]();
    this.#retry = this.#parts.clock.after(ms, () => this.trigger());
  }

  #reportIn(ms: number): void {
    this.#laterReport?.[Symbol.dispose]();
    this.#laterReport = this.#parts.clock.after(ms, () => {
      if (!this.#working && !this.#death.signal.aborted) this.#report(this.#pod);
    });
  }

  #instances(): Instance[] {
    return this.#parts.runtime.instances(this.#uid);
  }

  #podIP(): string | undefined {
    return this.#parts.runtime.sandboxes.get(this.#uid)?.podIP;
  }

  #name(): string {
    return `${this.#pod.metadata.namespace}/${this.#pod.metadata.name}`;
  }
}

/** Such a pod never runs again. */
function isFinished(status: PodStatus | undefined): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}
