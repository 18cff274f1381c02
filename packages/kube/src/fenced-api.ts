// SPDX-License-Identifier: Apache-2.0
import type { Api, CallOptions } from "./api.ts";
import type { Leadership } from "./leader-elector.ts";

/**
 * An `Api` that writes only as long as the leadership lasts: the fence is checked immediately before each write is sent,
 * and a write that is under way when the term is lost is given up. On a clean stop it is finished, as long as the lease
 * can be relied on. Reads pass.
 *
 * What the server has received already it may still carry out: that is why a write also carries a precondition.
 *
 * @example
 * await elector.run(signal, (leadership) => work(fencedApi(api, leadership), leadership.signal));
 */
export function fencedApi(api: Api, { fence, writes }: Pick<Leadership, "fence" | "writes">): Api {
  const fenced = <O extends CallOptions>(options: O | undefined): O & CallOptions => {
    fence();
    const own = options?.signal;
    return { ...(options as O), signal: own === undefined || own === writes ? writes : AbortSignal.any([own, writes]) };
  };
  return {
    get: (resource, name, options) => api.get(resource, name, options),
    list: (resource, options) => api.list(resource, options),
    watch: (resource, options) => api.watch(resource, options),
    // async, so that a fence that is closed is a rejection like every other failure.
    create: async (resource, object, options) => api.create(resource, object, fenced(options)),
    update: async (resource, object, options) => api.update(resource, object, fenced(options)),
    patch: async (resource, name, patch, options) => api.patch(resource, name, patch, fenced(options)),
    delete: async (resource, name, options) => api.delete(resource, name, fenced(options)),
  };
}
