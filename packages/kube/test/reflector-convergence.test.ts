// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ApiError, ConnectionError } from "../src/api-error.ts";
import type { Api, KubeObject, List, WatchEvent, WatchOptions } from "../src/api.ts";
import { createReflector } from "../src/reflector.ts";
import { objectKey, RESOURCES } from "../src/resources.ts";
import { FakeApi } from "../src/testing/fake-api.ts";
import { createFakeClock } from "../src/testing/fake-clock.ts";

const FAULTS = ["double", "reorder", "cut", "gone", "gone-event", "silent", "refuse-list", "refuse-watch"] as const;
type Fault = (typeof FAULTS)[number];

/** A cluster whose network has a will of its own: each step of a plan spoils the next list, watch or event. */
class UnreliableApi implements Pick<Api, "list" | "watch"> {
  readonly #real: FakeApi;
  readonly #plan: Fault[] = [];

  constructor(real: FakeApi) {
    this.#real = real;
  }

  spoil(fault: Fault): void {
    this.#plan.push(fault);
  }

  #takes(...faults: Fault[]): Fault | undefined {
    const [next] = this.#plan;
    return next !== undefined && faults.includes(next) ? this.#plan.shift() : undefined;
  }

  async list<T>(...[resource, options]: Parameters<Api["list"]>): Promise<List<T>> {
    if (this.#takes("refuse-list")) throw new ApiError("list", 500, {});
    return this.#real.list<T>(resource, options);
  }

  async *watch<T>(resource: Parameters<Api["watch"]>[0], options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    if (this.#takes("refuse-watch")) throw new ApiError("watch", 429, {});
    if (this.#takes("gone")) throw new ApiError("watch", 410, {});
    let late: WatchEvent<T> | undefined;
    for await (const event of this.#real.watch<T>(resource, options)) {
      const fault = this.#takes("double", "reorder", "cut", "gone-event", "silent");
      if (fault === "reorder" && late === undefined) {
        late = event;
        continue;
      }
      // On a real connection nothing that was overtaken is lost with the connection: it comes first.
      if (fault === "cut" && late === undefined) throw new ConnectionError("watch", "s", "KUBE_CUT", "reset");
      yield event;
      if (fault === "double") yield event;
      if (late !== undefined) yield late;
      late = undefined;
      if (fault === "gone-event") yield { type: "ERROR", object: { kind: "Status", code: 410 } };
      if (fault === "silent") await new Promise<never>(() => undefined);
    }
  }
}

type Step =
  | { do: "set" | "delete" | "recreate"; name: string }
  | { do: "fault"; fault: Fault }
  | { do: "time"; ms: number };
const name = fc.constantFrom("a", "b");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("set", "delete", "recreate"), name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("fault"), fault: fc.constantFrom(...FAULTS) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("time"), ms: fc.integer({ min: 1, max: 120_000 }) }) },
);

test("whatever the network does, the store ends as the cluster is, and no object goes back on the way", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = createFakeClock();
      const cluster = new FakeApi({ clock });
      const network = new UnreliableApi(cluster);
      const violations: unknown[] = [];
      const onError = (error: unknown, cause: string): void => {
        if (cause === "subscriber") violations.push(error);
      };
      const reflector = createReflector({ api: network, resource: RESOURCES.pods, clock, onError });
      const versions = new Map<string, number>();
      const mirror = new Map<string, string | undefined>();
      reflector.subscribe(({ type, key, object }) => {
        const version = Number(object.metadata.resourceVersion);
        if (type === "deleted") {
          expect(mirror.delete(key), `${key} was there`).toBe(true);
          return;
        }
        expect(version, key).toBeGreaterThan(versions.get(key) ?? 0);
        versions.set(key, version);
        expect(mirror.has(key), `${key} ${type}`).toBe(type === "modified");
        mirror.set(key, object.metadata.resourceVersion);
      });
      const abort = new AbortController();
      const done = reflector.run(abort.signal);
      const remove = (name: string): Promise<unknown> =>
        cluster.delete(RESOURCES.pods, name, { namespace: "d" }).catch(() => undefined);
      const set = (name: string): KubeObject =>
        cluster.seed<KubeObject>(RESOURCES.pods, { metadata: { name, namespace: "d" } });

      for (const each of steps) {
        if (each.do === "time") await clock.advance(each.ms);
        else if (each.do === "fault") network.spoil(each.fault);
        else {
          if (each.do !== "set") await remove(each.name);
          if (each.do !== "delete") set(each.name);
          await clock.advance(0);
        }
      }
      // A fault that waits for an event needs events to be used up; then time for the last back-off and silence.
      for (let i = 0; i < 60; i++) {
        set("last");
        await clock.advance(10_000);
      }
      await clock.advance(300_000);

      const truth = (await cluster.list(RESOURCES.pods)).items;
      const versionOf = (object: KubeObject) => [objectKey(object), object.metadata.resourceVersion] as const;
      const expected = new Map(truth.map(versionOf));
      expect(new Map(reflector.store.list().map(versionOf))).toEqual(expected);
      expect(mirror).toEqual(expected);
      expect(violations).toEqual([]);
      abort.abort();
      await done;
    }),
    { numRuns: 100 },
  );
}, 60_000);
