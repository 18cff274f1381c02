// SPDX-License-Identifier: Apache-2.0
import type { Container, Pod } from "@hot/spec";
import type { Health } from "./container.ts";
import type { Instance } from "./instance.ts";
import type { ProbeKind } from "./probe.ts";
import { Prober, type ProberOptions } from "./prober.ts";

const FIELDS: [ProbeKind, "startupProbe" | "readinessProbe" | "livenessProbe"][] = [
  ["startup", "startupProbe"],
  ["readiness", "readinessProbe"],
  ["liveness", "livenessProbe"],
];

export type ProbersOptions = Pick<ProberOptions, "clock"> & {
  reported: (container: string) => ReturnType<ProberOptions["reported"]>;
  attempt: (
    container: Container,
    probe: ProberOptions["probe"],
    id: string,
    timeoutMs: number,
  ) => ReturnType<ProberOptions["attempt"]>;
  onVerdict: (kind: ProbeKind, container: Container, id: string, verdict: boolean, message: string) => void;
};

/** All probes of one pod. They cannot change in place, so they are made once. */
export class Probers {
  readonly #byContainer = new Map<string, Map<ProbeKind, Prober>>();

  constructor(pod: Pod, options: ProbersOptions) {
    for (const container of pod.spec.containers) {
      const probers = new Map<ProbeKind, Prober>();
      for (const [kind, field] of FIELDS) {
        const probe = container[field];
        if (probe === undefined) continue;
        const prober = new Prober({
          kind,
          probe,
          container,
          clock: options.clock,
          reported: () => options.reported(container.name),
          attempt: (id, timeoutMs) => options.attempt(container, probe, id, timeoutMs),
          onVerdict: (id, verdict, message) => options.onVerdict(kind, container, id, verdict, message),
        });
        probers.set(kind, prober);
      }
      this.#byContainer.set(container.name, probers);
    }
  }

  /** Started: the startup probe has succeeded, or there is none. */
  started(instance: Instance): boolean {
    const startup = this.#find(instance.container, "startup");
    return startup === undefined || startup.verdict(instance.id) === true;
  }

  /** Ready: started, and the readiness probe says yes, or there is none. */
  ready(instance: Instance): boolean {
    const readiness = this.#find(instance.container, "readiness");
    return this.started(instance) && (readiness === undefined || readiness.verdict(instance.id) === true);
  }

  health(instance: Instance): Health {
    const failed = (kind: ProbeKind): boolean => this.#find(instance.container, kind)?.verdict(instance.id) === false;
    return { livenessFailed: failed("liveness"), startupFailed: failed("startup") };
  }

  /** The reported status has changed. */
  wake(): void {
    for (const prober of this.#all()) prober.wake();
  }

  /** All, or those of these kinds only: a pod that is being deleted keeps its readiness probes. */
  stop(...kinds: ProbeKind[]): void {
    for (const prober of this.#all()) if (kinds.length === 0 || kinds.includes(prober.kind)) prober.stop();
  }

  #find(container: string, kind: ProbeKind): Prober | undefined {
    return this.#byContainer.get(container)?.get(kind);
  }

  #all(): Prober[] {
    return [...this.#byContainer.values()].flatMap((probers) => [...probers.values()]);
  }
}
