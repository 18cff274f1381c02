// SPDX-License-Identifier: Apache-2.0
import type { Api } from "./api.ts";
import { ApiError, ConnectionError } from "./api-error.ts";
import type { Clock } from "./clock.ts";
import type { FairGate } from "./fair-gate.ts";

/**
 * An `Api` whose answers teach a gate: how long patches take, and which calls were too much. It holds nothing back; what
 * is to wait goes through `gate.run`.
 *
 * @example
 * const gate = createFairGate({ clock: systemClock, start: 8, most: 32 });
 * const paced = pacedApi(api, gate, systemClock);
 * await gate.run("mesh", signal, async () => void (await paced.patch(RESOURCES.pods, "web-0", patch, { namespace })));
 */
export function pacedApi(api: Api, gate: Pick<FairGate, "answered">, clock: Pick<Clock, "now">): Api {
  const learn = async <T>(call: Promise<T>, timed: boolean): Promise<T> => {
    const sentAt = clock.now();
    try {
      const answer = await call;
      if (timed) gate.answered({ sentAt });
      return answer;
    } catch (error) {
      const overload = overloadOf(error);
      if (overload !== undefined) gate.answered({ sentAt, overload });
      throw error;
    }
  };
  return {
    get: (...call) => learn(api.get(...call), false),
    list: (...call) => learn(api.list(...call), false),
    watch: (...call) => api.watch(...call),
    create: (...call) => learn(api.create(...call), false),
    update: (...call) => learn(api.update(...call), false),
    patch: (...call) => learn(api.patch(...call), true),
    delete: (...call) => learn(api.delete(...call), false),
  };
}

const TOO_MUCH = new Set([429, 503, 504]);

/** An answer that says so, or none in time. A connection that breaks, or another fault of the server, is no such word. */
function overloadOf(error: unknown): { retryAfterMs?: number } | undefined {
  if (error instanceof ApiError) {
    if (!TOO_MUCH.has(error.status)) return undefined;
    return error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs };
  }
  const silent = error instanceof ConnectionError && ["KUBE_TIMEOUT", "KUBE_UNREACHABLE"].includes(error.code);
  return silent ? {} : undefined;
}
