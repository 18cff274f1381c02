// SPDX-License-Identifier: Apache-2.0
import type { Container, ContainerStatus, Probe } from "@hot/spec";
import type { Clock } from "@hot/kube";
import type { HandlerResult } from "./handler.ts";
import { afterResult, initialProbeState, probeDelay, type ProbeKind, type ProbeState } from "./probe.ts";

export interface ProberOptions {
  kind: ProbeKind;
  probe: Probe;
  container: Container;
  clock: Clock;
  /** The container as the status shows it: while a hook runs that is the instance before, as for a kubelet. */
  reported: () => ContainerStatus | undefined;
  /** Probes the instance with this id. */
  attempt: (id: string, timeoutMs: number) => Promise<HandlerResult>;
  /** The verdict on an instance has changed. */
  onVerdict: (id: string, verdict: boolean, message: string) => void;
}

/**
 * Runs one probe of one container: at once when a new instance is reported (after its initial delay), then each period.
 * It sleeps between runs, and altogether while there is nothing to probe.
 */
export class Prober {
  readonly kind: ProbeKind;
  readonly #options: ProberOptions;
  #id: string | undefined;
  #state: ProbeState;
  #lastRun: number | undefined;
  #timer: Disposable | undefined;
  #running = false;
  #stopped = false;

  constructor(options: ProberOptions) {
    this.kind = options.kind;
    this.#options = options;
    this.#state = initialProbeState(options.kind);
  }

  /** What the probe says about an instance; an instance that it has not seen yet has the initial verdict. */
  verdict(id: string): boolean | undefined {
    return id === this.#id ? this.#state.verdict : initialProbeState(this.kind).verdict;
  }

  /** The reported status may have changed. */
  wake(): void {
    const { containerID } = this.#options.reported() ?? {};
    if (containerID !== this.#id) {
      this.#id = containerID;
      this.#state = initialProbeState(this.kind);
      this.#lastRun = undefined;
      this.#timer?.[Symbol.dispose]();
      this.#timer = undefined;
    }
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.[Symbol.dispose]();
  }

  #schedule(): void {
    if (this.#stopped || this.#running || this.#timer !== undefined) return;
    const { clock, probe } = this.#options;
    const delay = this.#delay();
    if (delay === undefined) return;
    const period = (probe.periodSeconds ?? 10) * 1000;
    const wait = this.#lastRun === undefined ? delay : Math.max(delay, this.#lastRun + period - clock.now());
    this.#timer = clock.after(wait, () => {
      this.#timer = undefined;
      void this.#run();
    });
  }

  /** Milliseconds until the reported container may be probed; undefined = not before something changes. */
  #delay(): number | undefined {
    const { clock, probe, reported } = this.#options;
    const status = reported();
    const startedAt = status?.state?.running?.startedAt;
    const target = {
      running: startedAt !== undefined,
      started: status?.started ?? false,
      startedAt: Date.parse(startedAt ?? ""),
    };
    return probeDelay(this.kind, probe, this.#state, target, clock.now());
  }

  async #run(): Promise<void> {
    const { clock, probe, attempt, onVerdict } = this.#options;
    const id = this.#id;
    if (id === undefined || this.#delay() === undefined) return;
    this.#running = true;
    this.#lastRun = clock.now();
    const result = await attempt(id, (probe.timeoutSeconds ?? 1) * 1000);
    this.#running = false;
    if (this.#stopped) return;
    // the result of an instance that is gone says nothing about the next; one that could not be tried says nothing at all
    if (id === this.#id && result.outcome !== "error") {
      const { verdict } = this.#state;
      this.#state = afterResult(this.kind, probe, this.#state, result.outcome === "success");
      const now = this.#state.verdict;
      if (now !== undefined && now !== verdict) onVerdict(id, now, result.outcome === "success" ? "" : result.message);
    }
    this.#schedule();
  }
}
