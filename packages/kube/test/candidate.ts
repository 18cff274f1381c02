// SPDX-License-Identifier: Apache-2.0
import { ConnectionError } from "../src/api-error.ts";
import type { Api } from "../src/api.ts";
import { createLeaderElector, type Leadership } from "../src/leader-elector.ts";
import type { FakeApi } from "../src/testing/fake-api.ts";
import type { FakeClock } from "../src/testing/fake-clock.ts";

export const LEASE = { namespace: "hot-system", name: "hot-controller" };

/** A process that stands for election, and can be paused, cut off from the API, stopped and killed. */
export class Candidate {
  readonly #stop = new AbortController();
  readonly errors: unknown[] = [];
  readonly changes: boolean[] = [];
  readonly ended: Promise<void>;
  readonly #parked: (() => void)[] = [];
  #paused = false;
  /** `refused`: every call fails at once; `silent`: none is ever answered; `killed`: none is even sent. */
  link: "up" | "refused" | "silent" = "up";
  leadership: Leadership | undefined;
  terms = 0;

  constructor(api: FakeApi, clock: FakeClock, identity: string, { skewMs = 0 } = {}) {
    const guarded = <A extends unknown[], T>(call: (...args: A) => Promise<T>) => {
      return async (...args: A): Promise<T> => {
        if (this.link === "refused") throw new ConnectionError("lease", "fake", "KUBE_UNREACHABLE", "refused");
        if (this.link === "silent") return new Promise(() => undefined);
        return call(...args);
      };
    };
    const elector = createLeaderElector({
      ...LEASE,
      api: {
        get: guarded(api.get.bind(api)) as Api["get"],
        create: guarded(api.create.bind(api)) as Api["create"],
        update: guarded(api.update.bind(api)) as Api["update"],
      },
      identity,
      clock: {
        now: () => clock.now() + skewMs,
        after: (ms, fn) => clock.after(ms, () => (this.#paused ? this.#parked.push(fn) : fn())),
      },
      monotonic: () => clock.now(),
      random: () => 0.5,
      onError: (error) => this.errors.push(error),
      onChange: (isLeader) => this.changes.push(isLeader),
    });
    this.ended = elector.run(this.#stop.signal, async (leadership) => {
      this.terms++;
      this.leadership = leadership;
      await new Promise<void>((resolve) => leadership.signal.addEventListener("abort", () => resolve()));
    });
  }

  get leads(): boolean {
    return this.leadership?.isLeader() ?? false;
  }

  /** As SIGSTOP: no timer fires, time goes on. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const fn of this.#parked.splice(0)) fn();
  }

  /** As SIGKILL. */
  kill(): void {
    this.link = "silent";
    this.pause();
  }

  stop(): void {
    this.#stop.abort();
  }
}
