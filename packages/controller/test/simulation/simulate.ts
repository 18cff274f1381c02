// SPDX-License-Identifier: Apache-2.0
import { admit } from "./admit.ts";
import { Cluster } from "./cluster.ts";
import { CALM, weatherOf } from "./faults.ts";
import { Invariants } from "./invariants.ts";
import { kruiseWrites } from "./kruise.ts";
import { LastGood } from "./last-good.ts";
import { Leaders } from "./leaders.ts";
import { changeLeader, mishap } from "./mishaps.ts";
import { checkRest } from "./rest.ts";
import { scenarioOf, type Scenario } from "./scenario.ts";
import { NATURE } from "./scheduler.ts";
import { addPodWhenStalled, edit } from "./users.ts";
import { T0, World } from "./world.ts";

export interface Outcome {
  readonly seed: number;
  /** The first thing that was wrong. */
  readonly violation?: string;
  readonly steps: number;
  /** Writes of pods by the controller. */
  readonly writes: number;
  readonly trace?: readonly string[];
}

/** Longer than every deadline, so that whoever waits for one has been heard. */
const REST = 200_000;
const LONGEST = 1_800_000;
const DAY = 86_400_000;

/** One run: everything that happens in it follows from the seed. */
export async function simulate(seed: number, isTraced = false): Promise<Outcome> {
  const world = new World(seed, weatherOf, isTraced);
  const { random, scheduler } = world;
  const scenario = scenarioOf(random);
  world.note(() => JSON.stringify({ seed, ...scenario, weather: world.weather }));
  const policy = admit(world, seed, scenario.length);
  const cluster = new Cluster(world, scenario);
  const leaders: Leaders = new Leaders(world, scenario.history, (replica, call) => {
    const arrive = invariants.inspect(replica, call);
    const names = scenario.wishes.map(({ name }) => name);
    const judge = policy?.inspect(replica, call, names);
    return (carryOut) => {
      judge?.();
      const before = invariants.writes;
      const answer = arrive(carryOut);
      if (invariants.writes > before && random.chance(world.weather.crash)) leaders.crash(replica);
      return answer;
    };
  });
  const invariants = new Invariants(world, cluster, leaders);
  void new LastGood(world, cluster);
  for (const wish of scenario.wishes) cluster.apply(wish);
  for (let i = 0; i < scenario.pods; i++) cluster.addPod(`web-${i}`, DAY);
  scheduler.after(0, NATURE, () => leaders.start());
  const calmAt = T0 + plan(world, scenario, cluster, leaders);

  await rest(world, cluster, invariants, calmAt);
  if (policy?.isOn === true) {
    world.note(() => "policy: all is allowed");
    policy.isOn = false;
    await rest(world, cluster, invariants, scheduler.now);
  }
  cluster.end();
  leaders.end();
  const { violation, trace } = world;
  return {
    seed,
    ...(violation !== undefined && { violation }),
    steps: scheduler.steps,
    writes: invariants.writes,
    ...(trace && { trace }),
  };
}

/** Waits until nothing has been written for a while, and looks whether that is right. */
async function rest(world: World, cluster: Cluster, invariants: Invariants, since: number): Promise<void> {
  const { scheduler } = world;
  await scheduler.run(() => {
    const { now } = scheduler;
    if (world.violation !== undefined || now < since + REST) return world.violation !== undefined;
    return now - Math.max(invariants.lastWriteAt, cluster.backAt) > REST || now > since + LONGEST;
  });
  if (world.violation !== undefined) return;
  if (scheduler.now - invariants.lastWriteAt <= REST) world.violate("I7: it does not come to rest");
  else checkRest(world, cluster, invariants);
}

/** Sets down when users, faults and Kruise act; returns when all that is over. */
function plan(world: World, scenario: Scenario, cluster: Cluster, leaders: Leaders): number {
  const { random, scheduler } = world;
  const some = (times: number, act: () => void): void => {
    for (let i = 0; i < times; i++) scheduler.after(random.int(500, scenario.length), NATURE, act);
  };
  some(scenario.edits, () => edit(world, cluster));
  some(scenario.births, () => addPodWhenStalled(world, cluster));
  some(scenario.mishaps, () => mishap(world, cluster));
  some(scenario.changes, () => changeLeader(world, leaders, scenario.delusion));
  if (scenario.kruise) some(random.int(1, 12), () => kruiseWrites(world, cluster));
  const calmAt = scenario.length + random.pick([1_000, 60_000]);
  scheduler.after(calmAt, NATURE, () => {
    world.note(() => "users and faults are quiet from now on");
    world.weather = CALM;
    world.isDown = false;
    cluster.registryDown = false;
    for (const stream of world.streams) if (stream.isTorn) stream.cut();
  });
  return calmAt;
}
