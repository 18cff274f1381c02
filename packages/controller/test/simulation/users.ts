// SPDX-License-Identifier: Apache-2.0
import { isStalled } from "@hot/spec";
import type { Cluster } from "./cluster.ts";
import { NATURE } from "./scheduler.ts";
import type { Scope } from "./scope.ts";
import type { Wish } from "./sidecar-sets.ts";
import type { World } from "./world.ts";

type Edit = (wish: Wish, world: World, cluster: Cluster) => Wish | undefined;

const MOST_PODS = 6;
const GOOD = ["1", "2", "3", "4", "5"];
const BAD = ["nopull", "badhook", "hang", "crash"];

/** The wanted image of one of the hot containers changes. */
const image =
  (tags: readonly string[]): Edit =>
  (wish, { random }) => {
    const base = random.pick(Object.keys(wish.hot));
    return { ...wish, hot: { ...wish.hot, [base]: `${base}:${random.pick(tags)}` } };
  };

const strategy =
  (change: (world: World, cluster: Cluster) => Wish["strategy"]): Edit =>
  (wish, world, cluster) => ({
    ...wish,
    strategy: { ...wish.strategy, ...change(world, cluster) },
  });

const pause: Edit = (wish) => ({ ...wish, strategy: { ...wish.strategy, paused: wish.strategy.paused !== true } });

/** What users do, as often as it is listed. */
const EDITS: readonly Edit[] = [
  ...Array.from({ length: 8 }, () => image(GOOD)),
  ...Array.from({ length: 3 }, () => image(BAD)),
  ...Array.from({ length: 3 }, () => pause),
  strategy(({ random }, { places }) => ({ partition: random.int(0, places.size) })),
  strategy(({ random }) => ({ maxUnavailable: random.int(1, 3) })),
  strategy(({ random }) => ({ type: random.pick(["NotUpdate", "RollingUpdate"]) })),
  (wish, { random }) => ({ ...wish, empty: random.pick(["e:1", "e:2", "e:3"]) }),
  (wish, world, cluster) => image(GOOD)({ ...wish, empty: world.random.pick(["e:1", "e:2", "e:3"]) }, world, cluster),
  (wish) => ({ ...wish, env: 1 - wish.env }),
  (wish, { random }) => (wish.note === undefined ? wish : { ...wish, note: String(random.int(1, 5)) }),
  (wish, { random }) => (wish.cold === undefined ? wish : { ...wish, cold: `c:${random.int(1, 3)}` }),
  ({ strategy, ...wish }) => {
    const { newPodsWhenStalled = "Newest" } = strategy.hotUpgrade ?? {};
    const other = newPodsWhenStalled === "Newest" ? "LastGood" : "Newest";
    return { ...wish, strategy: { ...strategy, hotUpgrade: { ...strategy.hotUpgrade, newPodsWhenStalled: other } } };
  },
  // Deleted, and perhaps created again.
  () => undefined,
  () => undefined,
];

/** An edit at this moment. */
export function edit(world: World, cluster: Cluster): void {
  const { random, scheduler } = world;
  if (random.chance(0.1)) return replacePod(world, cluster);
  if (random.chance(0.1)) return askAgain(world, cluster);
  const { present } = cluster;
  if (present.length === 0) return;
  const scope = random.pick(present);
  const wish = random.pick(EDITS)(scope.wish, world, cluster);
  if (wish !== undefined) {
    world.note(() => `user: ${JSON.stringify(wish)}`);
    cluster.apply(wish);
    return;
  }
  world.note(() => `user: deletes SidecarSet ${scope.name}`);
  cluster.remove(scope.name);
  if (random.chance(0.3)) return;
  const again = image(GOOD)(scope.wish, world, cluster) ?? scope.wish;
  scheduler.after(random.pick([100, 5_000, 40_000]), NATURE, () => {
    world.note(() => `user: creates it again: ${JSON.stringify(again)}`);
    cluster.apply(again);
  });
}

function replacePod(world: World, cluster: Cluster): void {
  const { random, scheduler } = world;
  if (cluster.places.size === 0) return;
  const key = random.pick([...cluster.places.keys()]);
  cluster.deletePod(key);
  if (random.chance(0.2)) return;
  scheduler.after(random.pick([50, 3_000, 20_000]), NATURE, () => {
    if (cluster.present.length > 0 && !cluster.places.has(key)) cluster.addPod(key.slice("ns1/".length), 0);
  });
}

/** Waits a while for a rollout to stall. */
export function addPodWhenStalled(world: World, cluster: Cluster): void {
  const { random, scheduler, server } = world;
  const isStalledNow = ({ name }: Scope): boolean => {
    const sidecarSet = server.sidecarSet(name);
    return sidecarSet !== undefined && isStalled(sidecarSet);
  };
  const wait = (left: number): void => {
    const { present } = cluster;
    if (present.length === 0 || cluster.places.size >= MOST_PODS) return;
    if (left === 0 || present.some(isStalledNow)) addNextPod(world, cluster);
    else scheduler.after(1_000, NATURE, () => wait(left - 1));
  };
  wait(random.pick([0, 20, 60]));
}

function addNextPod(world: World, cluster: Cluster): void {
  const names = Array.from({ length: MOST_PODS }, (_, i) => `web-${i}`);
  const name = names.find((one) => !cluster.places.has(`ns1/${one}`));
  if (name === undefined) return;
  world.note(() => `user: adds ${name}`);
  cluster.addPod(name, 0);
}

/** What has failed is to be tried again: one pod, or all of a SidecarSet. At times the same is said twice. */
function askAgain(world: World, cluster: Cluster): void {
  const { random } = world;
  const isRepeated = random.int(1, 3) === 1;
  const names = cluster.present.map((one) => one.name);
  const keys = random.chance(0.5) ? [...cluster.places.keys()] : names;
  if (keys.length === 0) return;
  const key = random.pick(keys);
  const plural = keys === names ? "sidecarsets" : "pods";
  const token = cluster.retry(plural, key, isRepeated);
  world.note(() => `user: hot.internal/retry=${token} on ${plural} ${key}`);
}
