// SPDX-License-Identifier: Apache-2.0
import { ConnectionError, type Api, type List, type Resource, type WatchEvent } from "@hot/kube";
import { refuse, type Stored } from "./api-server.ts";
import { SLOW_CALL } from "./faults.ts";
import { NATURE, type Owner } from "./scheduler.ts";
import { WatchStream } from "./watch-stream.ts";
import type { World } from "./world.ts";

interface Call {
  readonly what: string;
  readonly signal: AbortSignal | undefined;
  readonly isPatch?: boolean;
  readonly carryOut: () => unknown;
}

/** One process' way to the API server: calls arrive late, are refused, or are carried out without an answer. */
export function createConnection(world: World, owner: Owner, { onSend, onRead }: Watcher): Api {
  const { server } = world;
  const streams = new Map<string, WatchStream>();
  // A process that was killed sends nothing more, though code of it that waits for nobody may still run.
  const never = <T>(): Promise<T> => new Promise(() => undefined);
  const call = <T>(one: Call): Promise<T> => (owner.dead ? never<T>() : (send(world, owner, one) as Promise<T>));
  const keyOf = ({ namespaced }: Resource, name: string, namespace: string | undefined): string =>
    namespaced ? `${namespace ?? ""}/${name}` : name;
  const unused = (): never => {
    throw new Error("the controller never does that");
  };
  return {
    get: <T>(resource: Resource, name: string, options?: { namespace?: string; signal?: AbortSignal }) => {
      const answer = call<Stored>({
        what: `get ${resource.plural} ${name}`,
        signal: options?.signal,
        carryOut: () => server.get(resource.plural, keyOf(resource, name, options?.namespace)),
      });
      // Before the caller goes on.
      void answer.then((object) => onRead(resource.plural, object)).catch(() => undefined);
      return answer as Promise<T>;
    },
    list: <T>(resource: Resource, options?: { signal?: AbortSignal }) =>
      call<List<T>>({
        what: `list ${resource.plural}`,
        signal: options?.signal,
        carryOut: () => {
          const isStale = resource.plural === "sidecarsets" && world.random.chance(world.weather.staleList);
          return isStale ? server.listBefore(resource, world.random.int(1, 12)) : server.list(resource);
        },
      }),
    watch: <T>({ plural }: Resource, options: Parameters<Api["watch"]>[1]) => {
      const stream = new WatchStream(world, owner, plural);
      const open = (): void => {
        const before = streams.get(plural);
        streams.set(plural, stream);
        // Whoever has missed an event must not go on behind it, however many requests have failed since.
        if (before?.isTorn === true) refuse(`watch ${plural}`, 410, "Expired");
        const past = server.since(plural, Number(options.resourceVersion));
        world.streams.add(stream);
        stream.start(past, options.timeoutSeconds ?? 300);
      };
      const what = `watch ${plural}`;
      call<void>({ what, signal: options.signal, carryOut: open }).catch((error: unknown) => stream.fail(error));
      return stream as AsyncIterable<WatchEvent<T>>;
    },
    patch: (resource, name, patch, options) => {
      if (owner.dead) return never();
      const key = keyOf(resource, name, options?.namespace);
      const sub = options?.subresource;
      const arrive = onSend({ plural: resource.plural, key, body: patch.body, subresource: sub });
      return call({
        what: `patch ${resource.plural} ${key}${sub === undefined ? "" : `/${sub}`}`,
        signal: options?.signal,
        isPatch: true,
        carryOut: () => arrive(() => server.patch(resource.plural, key, patch, sub)),
      });
    },
    create: <T>(resource: Resource, object: object, options?: { namespace?: string; signal?: AbortSignal }) => {
      if (owner.dead) return never();
      const key = keyOf(resource, (object as Stored).metadata.name ?? "", options?.namespace);
      const arrive = onSend({ plural: resource.plural, key, body: object, subresource: undefined });
      const carryOut = (): unknown => arrive(() => server.create(resource.plural, key, object as Stored));
      return call<T>({ what: `create ${resource.plural} ${key}`, signal: options?.signal, carryOut });
    },
    delete: (resource, name, options = {}) => {
      if (owner.dead) return never();
      const key = keyOf(resource, name, options.namespace);
      const arrive = onSend({ plural: resource.plural, key, body: {}, subresource: undefined });
      const remove = (): void => server.remove(resource.plural, key, options.preconditions ?? {});
      return call({
        what: `delete ${resource.plural} ${key}`,
        signal: options.signal,
        carryOut: () => arrive(remove),
      });
    },
    update: unused,
  };
}

/** Told of what a process sends and learns. */
export interface Watcher {
  readonly onSend: (call: PatchCall) => OnArrival;
  readonly onRead: (plural: string, object: Stored) => void;
}

export interface PatchCall {
  readonly plural: string;
  readonly key: string;
  readonly body: object;
  readonly subresource: string | undefined;
}

/** Carries out a patch when it arrives, and looks at what it does. */
export type OnArrival = (carryOut: () => unknown) => unknown;

function send(world: World, owner: Owner, { what, signal, isPatch = false, carryOut }: Call): Promise<unknown> {
  const { random, scheduler, weather } = world;
  if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const refused = world.isDown ? random.pick([429, 500, 503]) : refusal(world, isPatch);
  const cutBefore = random.chance(weather.cutBefore);
  const cutAfter = random.chance(weather.cutAfter);
  const delay = (): number => random.int(1, random.chance(weather.slow) ? SLOW_CALL : 10);
  const cut = (): Error => new ConnectionError(what, "simulation", "KUBE_CUT", "the connection was reset");
  // A call that has been sent arrives whatever becomes of the process that sent it.
  scheduler.after(delay(), NATURE, () => {
    let settle: () => void;
    try {
      if (cutBefore) throw cut();
      if (refused !== undefined) refuse(what, refused, "Simulated");
      const answer = carryOut();
      settle = () => resolve(answer);
      if (cutAfter) throw cut();
    } catch (error) {
      world.note(() => `${what}: ${error instanceof Error ? error.message.slice(0, 60) : ""}`);
      settle = () => reject(error);
    }
    scheduler.after(delay(), owner, settle);
  });
  const stop = (): void => reject(signal?.reason as Error);
  signal?.addEventListener("abort", stop);
  void promise.catch(() => undefined).then(() => signal?.removeEventListener("abort", stop));
  return promise;
}

function refusal({ random, weather }: World, isPatch: boolean): number | undefined {
  if (!random.chance(weather.refused)) return undefined;
  return random.pick(isPatch ? [409, 429, 500, 503] : [429, 500, 503]);
}
