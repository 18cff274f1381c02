// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION } from "@hot/spec";
import { injectedPod } from "../support/builders.ts";
import { CALM, weatherOf } from "./faults.ts";
import { Invariants } from "./invariants.ts";
import { Kubelet, type Node } from "./kubelet.ts";
import { Machine } from "./machine.ts";
import { hashEntryOf, pairFacts } from "./pod-facts.ts";
import { Replica } from "./replica.ts";
import { NATURE } from "./scheduler.ts";
import { storedFor, type Wish } from "./sidecar-sets.ts";
import { T0, World } from "./world.ts";

export interface Outcome {
  readonly seed: number;
  readonly violation?: string;
  readonly steps: number;
  readonly writes: number;
  readonly trace?: readonly string[];
}

const REST = 200_000;

/** One run: everything that happens in it follows from the seed. */
export async function simulate(seed: number, isTraced = false): Promise<Outcome> {
  const world = new World(seed, weatherOf, isTraced);
  const { random, scheduler, server } = world;
  let wish: Wish = {
    name: "mesh",
    hot: { x: "x:1" },
    empty: "e:1",
    env: 0,
    probe: random.pick(["exec", "exec", "exec", "startup"]),
    strategy: { maxUnavailable: random.int(1, 2), hotUpgrade: { progressDeadlineSeconds: random.pick([60, 120]) } },
  };
  const bases = ["x"];
  const machines = new Map<string, Machine>();
  const kubelets = new Map<string, Kubelet>();
  const hashes = new Map<string, Readonly<Record<string, string>>>();
  let leader: Replica | undefined;
  let replicas = 0;

  const invariants = new Invariants({
    world,
    machines,
    bases,
    leader: () => leader,
    imagesOf: (hash) => hashes.get(hash),
  });

  const putSidecarSet = (): void => {
    const stored = storedFor(wish);
    const before = server.sidecarSet(wish.name);
    hashes.set(stored.metadata.annotations?.[HASH_ANNOTATION] ?? "", wish.hot);
    const metadata = {
      ...before?.metadata,
      uid: before?.metadata.uid ?? `uid-mesh-${server.version}`,
      ...stored.metadata,
    };
    server.put("sidecarsets", wish.name, { ...stored, metadata });
  };

  const startReplica = (): void => {
    leader = new Replica(world, `controller-${++replicas}`, (replica, call) => {
      const arrive = invariants.inspect(replica, call);
      return (carryOut) => {
        const writes = invariants.writes;
        const answer = arrive(carryOut);
        if (invariants.writes > writes && random.chance(world.weather.crash)) crash(replica);
        return answer;
      };
    });
    leader.start();
  };

  const crash = (replica: Replica): void => {
    if (replica.dead) return;
    replica.kill();
    if (leader !== replica) return;
    leader = undefined;
    scheduler.after(random.int(100, 20_000), NATURE, startReplica);
  };

  server.put("namespaces", "ns1", { metadata: { name: "ns1", uid: "ns1", labels: {} } });
  putSidecarSet();
  const node: Node = { isOld: random.chance(0.1), registryDown: false, starts: new Map() };
  for (let i = 0; i < 3; i++) {
    const pod = injectedPod(storedFor(wish), `web-${i}`);
    server.put("pods", `ns1/web-${i}`, pod);
    const machine = new Machine(world, pod, bases);
    machines.set(machine.key, machine);
    kubelets.set(machine.key, new Kubelet(world, machine, { ...node, starts: new Map() }));
  }
  server.onCommit(({ plural, key, object, before }) => {
    if (plural === "pods" && before?.spec !== object.spec) kubelets.get(key)?.poke();
  });
  scheduler.after(0, NATURE, startReplica);

  let at = 1_000;
  const edits = random.int(1, 4);
  for (let i = 0; i < edits; i++) {
    at += random.int(0, 30_000);
    scheduler.after(at, NATURE, () => {
      wish = {
        ...wish,
        hot: { x: random.pick(["x:1", "x:2", "x:3", "x:4", "x:nopull", "x:badhook", "x:hang"]) },
      };
      world.note(() => `user: ${wish.hot["x"]}`);
      putSidecarSet();
    });
  }
  const calmAt = at + random.int(10_000, 200_000);
  scheduler.after(calmAt, NATURE, () => {
    world.note(() => "faults are over");
    world.weather = CALM;
    for (const stream of world.streams) if (stream.isTorn) stream.cut();
  });

  const end = T0 + calmAt + REST;
  await scheduler.run(() => world.violation !== undefined || scheduler.now > end);
  if (world.violation === undefined) {
    const failed = server.pods().some((pod) => pairFacts(pod, "x").record?.failed !== undefined);
    for (const pod of server.pods()) {
      const { serving } = pairFacts(pod, "x");
      if (serving === undefined) world.violate(`I7: ${pod.metadata.name} is still in mid-upgrade`);
      else if (serving.image !== wish.hot["x"] && !failed)
        world.violate(`I7: ${pod.metadata.name} has ${serving.image}, wanted is ${wish.hot["x"]}`);
      else if (hashEntryOf(pod, "mesh") === "") world.violate("I10: no hash");
    }
  }
  for (const one of [...kubelets.values(), ...(leader ? [leader] : [])]) one.dead = true;
  return {
    seed,
    ...(world.violation !== undefined && { violation: world.violation }),
    steps: scheduler.steps,
    writes: invariants.writes,
    ...(world.trace && { trace: world.trace }),
  };
}
