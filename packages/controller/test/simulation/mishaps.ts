// SPDX-License-Identifier: Apache-2.0
import type { Cluster } from "./cluster.ts";
import type { Leaders } from "./leaders.ts";
import { NATURE } from "./scheduler.ts";
import type { World } from "./world.ts";

/** Something goes wrong on a node, in a process or at the API server, at this moment. */
export function mishap(world: World, cluster: Cluster): void {
  const { random, scheduler, server } = world;
  const keys = [...cluster.places.keys()];
  const kind = random.pick([
    "process",
    "process",
    "kubelet",
    "kubelet",
    "registry",
    "api",
    "history",
    "streams",
    "node",
    "node",
  ]);
  if (kind === "registry") {
    world.note(() => "registry: down");
    cluster.registryDown = true;
    scheduler.after(random.int(5_000, 60_000), NATURE, () => {
      cluster.registryDown = false;
    });
  } else if (kind === "api") {
    world.note(() => "API server: answers errors only");
    world.isDown = true;
    scheduler.after(random.int(1_000, 60_000), NATURE, () => {
      world.isDown = false;
    });
  } else if (kind === "history") {
    server.compact();
    for (const stream of world.streams) stream.cut();
  } else if (kind === "streams") {
    for (const stream of world.streams) stream.cut();
  } else if (keys.length > 0) {
    const key = random.pick(keys);
    if (kind === "process") {
      const machine = cluster.machines.get(key)!;
      machine.crash(random.pick([...machine.processes.values()]));
    } else if (kind === "kubelet") killKubelet(world, cluster, key);
    else loseNode(world, cluster, key);
  }
}

/** Most often right after a write, since until then all is as it was. */
function loseNode(world: World, cluster: Cluster, key: string): void {
  const { random, scheduler, server } = world;
  const { generation } = server.pod(key)?.metadata ?? {};
  // What is known to be out of reach comes back as little as a kubelet that is killed.
  const hasOnlyStartup = cluster.scopes.some((one) => one.wish.probe === "startup");
  const back = hasOnlyStartup ? undefined : 90_000;
  const after = random.pick([undefined, back, back === undefined ? undefined : 250_000]);
  const wait = (left: number): void => {
    const kubelet = cluster.places.get(key)?.kubelet;
    if (kubelet === undefined || kubelet.dead) return;
    // Nor is it lost with a first report that was left over: where no other one follows, nothing tells.
    const isSettled = !(hasOnlyStartup && kubelet.isBehind);
    const isTime = left <= 0 || server.pod(key)?.metadata.generation !== generation;
    if (isTime && isSettled) cluster.loseNode(key, after);
    else scheduler.after(5, NATURE, () => wait(left - 1));
  };
  wait(random.pick([0, 2_000, 10_000]));
}

/** In mid-hook if there is a hook soon. */
function killKubelet(world: World, cluster: Cluster, key: string): void {
  const { random, scheduler } = world;
  const wait = (left: number): void => {
    const place = cluster.places.get(key);
    if (place === undefined || place.kubelet.dead) return;
    if (place.kubelet.isInHook || left === 0) {
      if (!isUnprovable(world, cluster, key)) cluster.restartKubelet(key, random.pick([500, 15_000, 40_000]));
    } else scheduler.after(50, NATURE, () => wait(left - 1));
  };
  wait(random.pick([0, 100]));
}

/**
 * What is known to be out of reach: with only a startupProbe nothing tells that a hook was cut; and the times of
 * Kubernetes have whole seconds, so a pod that became ready in the very second of the start is taken for proven.
 */
function isUnprovable(world: World, cluster: Cluster, key: string): boolean {
  if (cluster.scopes.some((one) => one.wish.probe === "startup")) return true;
  const pod = world.server.pod(key);
  const turned = pod?.status?.conditions?.find(({ type }) => type === "ContainersReady");
  const at = Date.parse(turned?.lastTransitionTime ?? "");
  const starts = [...(cluster.machines.get(key)?.processes.values() ?? [])].map((one) => one.startedAt);
  return turned?.status === "True" && starts.some((start) => at >= Math.floor(start / 1000) * 1000);
}

/** The leader is stopped, killed or frozen. */
export function changeLeader({ random }: World, leaders: Leaders, delusion: boolean): void {
  const { current } = leaders;
  if (current === undefined) return;
  const kind = random.pick(["crash", "stop", "freeze", "freeze"]);
  if (kind === "crash") leaders.crash(current);
  else if (kind === "stop") leaders.stop(current);
  else leaders.freeze(current, random.pick([3_000, 12_000, 20_000, 40_000]), delusion && random.chance(0.7));
}
