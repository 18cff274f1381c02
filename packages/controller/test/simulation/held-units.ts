// SPDX-License-Identifier: Apache-2.0
import type { Pod, SidecarSet } from "@hot/spec";
import type { Cluster } from "./cluster.ts";
import type { Write } from "./knowledge.ts";
import type { Leaders } from "./leaders.ts";
import { isHeard, isObserved, isSeenServing, isSilent, pairFacts, type PairFacts } from "./pod-facts.ts";
import type { World } from "./world.ts";

/** I2, I3: maxUnavailable and partition, by the truth of the API. */
export class HeldUnits {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #leaders: Leaders;
  /** By SidecarSet: pods that hold a unit of maxUnavailable, and the pairs that they hold it for. */
  readonly #holding: ReadonlyMap<string, Map<string, Set<string>>>;

  constructor(world: World, cluster: Cluster, leaders: Leaders) {
    this.#world = world;
    this.#cluster = cluster;
    this.#leaders = leaders;
    this.#holding = new Map(cluster.scopes.map((one) => [one.name, new Map()]));
  }

  /** The pod is gone. */
  drop(key: string): void {
    for (const holding of this.#holding.values()) holding.delete(key);
  }

  /** At a start. Of what two leaders do at once, neither can know. */
  check({ key, before, knew }: Write, name: string, base: string, sidecarSet: SidecarSet): void {
    const scope = this.#cluster.ownerOf(base).name;
    const { old, total } = knew.get(scope)!;
    const holding = this.#holding.get(scope)!;
    const inDoubt = this.#world.scheduler.now < this.#leaders.doubtUntil;
    const { maxUnavailable = 1, partition = 0 } = sidecarSet.spec.updateStrategy ?? {};
    const isReady = before.status?.conditions?.find((one) => one.type === "Ready")?.status === "True";
    for (const one of holding.keys()) if (this.#isGivenUp(one, scope)) holding.delete(one);
    const others = [...holding.keys()].filter((one) => one !== key);
    if (isReady && !inDoubt && others.length >= Number(maxUnavailable)) {
      this.#world.violate(
        `I2: ${name} starts while ${others.join(", ")} are under way, and maxUnavailable is ${maxUnavailable}`,
      );
    }
    // One that was not ready by itself takes no unit.
    const held = holding.get(key);
    if (held !== undefined) held.add(base);
    else if (isReady) holding.set(key, new Set([base]));
    if (!inDoubt && old < Math.min(Number(partition), total) && total > 0) {
      this.#world.violate(`I3: ${name} starts, and only ${old} of ${total} pods stay old with partition ${partition}`);
    }
  }

  /** Nobody has heard of it by its deadline. */
  #isGivenUp(key: string, scope: string): boolean {
    const pod = this.#world.server.pod(key);
    const pairs = pod === undefined ? [] : this.#cluster.scope(scope).bases.map((base) => pairFacts(pod, base));
    return pairs.some(
      ({ record, isUpgrading }) =>
        record !== undefined &&
        record.phase === (isUpgrading ? "upgrade" : "abort") &&
        Date.parse(record.deadlineAt) + 60_000 <= this.#world.scheduler.now &&
        !isHeard(pod!, record),
    );
  }

  /** Looks at every state of a pod: some end what it holds its unit for. */
  look(key: string, pod: Pod, scope: string, pairs: readonly PairFacts[]): void {
    const isDone = (pair: PairFacts): boolean =>
      pair.isSettled && pair.sides.every((side) => side === pair.serving || isSeenServing(side));
    const holding = this.#holding.get(scope);
    // A pair that has nothing to do with it may be not ready by itself.
    const held = holding?.get(key);
    // Not ready for other reasons than what is written into it.
    if (
      isSilent(pod) ||
      pairs.some(({ record }) => record?.unanswered && record.phase === "abort" && !isHeard(pod, record))
    )
      holding?.delete(key);
    const isOver = pairs.every((pair) => held?.has(pair.base) !== true || isDone(pair));
    if (isOver && isObserved(pod)) holding?.delete(key);
  }
}
