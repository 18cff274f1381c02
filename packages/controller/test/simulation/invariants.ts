// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, type Pod, type SidecarSet } from "@hot/spec";
import type { Cluster } from "./cluster.ts";
import type { OnArrival, PatchCall } from "./connection.ts";
import type { Leaders } from "./leaders.ts";
import { hashEntryOf, isObserved, isSeenServing, pairFacts, type PairFacts, type SideFacts } from "./pod-facts.ts";
import type { Replica } from "./replica.ts";
import type { World } from "./world.ts";

/** One write of a pod: who sent it, what that one knew, and what it did. */
interface Write {
  readonly replica: Replica;
  readonly key: string;
  /** As the replica knew it when it sent the write. */
  readonly sidecarSet: SidecarSet | undefined;
  /** Pods that have failed for that generation, as the replica knew them. */
  readonly failed: number;
  /** Other pods that stay old, and all pods, as the replica knew them. */
  readonly old: number;
  readonly total: number;
  readonly before: Pod;
  readonly after: Pod;
}

/** The invariants, checked at every write of the controller: when it is sent, and when it is carried out. */
export class Invariants {
  writes = 0;
  lastWriteAt = 0;
  /** `<pod UID> <generation>` of upgrades that were aborted as failed. */
  readonly failures = new Set<string>();
  readonly #hasStaleLists: boolean;
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #leaders: Leaders;
  /** Pods that hold a unit of maxUnavailable, by the truth of the API. */
  readonly #holding = new Set<string>();
  /** Pods and generations for which an upgrade was started. */
  readonly #attempts = new Set<string>();
  /** Pair of a pod → when its upgrade began. */
  readonly #begun = new Map<string, number>();

  constructor(world: World, cluster: Cluster, leaders: Leaders) {
    this.#world = world;
    this.#hasStaleLists = world.weather.staleList > 0;
    this.#cluster = cluster;
    this.#leaders = leaders;
    world.server.onCommit(({ plural, key, object, type }) => {
      if (plural !== "pods") return;
      if (type === "DELETED") this.#holding.delete(key);
      else this.#look(key, object as Pod);
    });
  }

  inspect(replica: Replica, call: PatchCall): OnArrival {
    const { server } = this.#world;
    const { plural, key, subresource } = call;
    if (this.#leaders.current !== replica && !replica.isDeluded)
      this.#violate(`I5: ${replica.name} writes, and does not lead`);
    if (plural !== "pods" || subresource !== undefined) return (carryOut) => this.#noted(replica, call, carryOut());
    const sidecarSet = replica.knownSidecarSet("mesh");
    const pods = replica.pods.store.list();
    const failed = pods.filter((pod) => isFailure(pod.annotations, sidecarSet)).length;
    const hash = `"${sidecarSet?.metadata.annotations?.[HASH_ANNOTATION] ?? ""}"`;
    const others = pods.filter((pod) => `${pod.namespace}/${pod.name}` !== key);
    const old = others.filter((pod) => !(pod.annotations[HASH_ANNOTATION] ?? "").includes(hash)).length;
    return (carryOut) => {
      const before = server.pod(key);
      const answer = carryOut();
      const after = server.pod(key);
      if (before !== undefined && after !== undefined && before !== after) {
        this.#written({ replica, key, sidecarSet, failed, old, total: pods.length, before, after });
      }
      return answer;
    };
  }

  #noted(replica: Replica, { plural, key, body }: PatchCall, answer: unknown): unknown {
    this.#world.note(() => `${replica.name}: writes status of ${plural} ${key} ${JSON.stringify(body).slice(0, 300)}`);
    return answer;
  }

  #violate(what: string): void {
    this.#world.violate(what);
  }

  #written(write: Write): void {
    const { key, before, after, replica } = write;
    this.writes++;
    this.lastWriteAt = this.#world.scheduler.now;
    this.#world.note(() => `${replica.name}: writes ${key} ${describe(after, this.#cluster.bases)}`);
    this.#untouched(write);
    for (const base of this.#cluster.bases) {
      const [was, is] = [pairFacts(before, base), pairFacts(after, base)];
      is.sides.forEach((side, index) => {
        const old = was.sides[index]!;
        if (old.image === side.image) return;
        if (side.isEmpty) this.#emptied(write, was, old, is);
        else this.#started(write, was, old, side);
      });
      // An upgrade that was adopted has its deadline from now on.
      if (is.record?.phase === "upgrade" && was.record?.deadlineAt !== is.record.deadlineAt) {
        this.#begun.set(`${key} ${base}`, this.#world.scheduler.now);
      }
    }
  }

  /** I8. */
  #untouched({ key, before, after }: Write): void {
    const own = new Set(this.#cluster.bases.flatMap((base) => [`${base}-1`, `${base}-2`]).concat("c"));
    for (const container of before.spec.containers) {
      const now = after.spec.containers.find((one) => one.name === container.name);
      if (now === container) continue;
      const { image: _, ...rest } = container;
      const { image: __, ...restNow } = now ?? {};
      if (!own.has(container.name) || JSON.stringify(rest) !== JSON.stringify(restNow)) {
        this.#violate(`I8: ${key}: container ${container.name} was changed`);
      }
    }
    for (const [name, value] of Object.entries(before.metadata.annotations ?? {})) {
      const isOther = !/kruise\.io|upgrade\.hot/.test(name);
      if (isOther && after.metadata.annotations?.[name] !== value)
        this.#violate(`I8: ${key}: annotation ${name} was changed`);
    }
  }

  /** A side is emptied only while its sibling is seen serving; by a reset only if that one has taken over. */
  #emptied({ key, before }: Write, was: PairFacts, side: SideFacts, is: PairFacts): void {
    const sibling = was.sides.find((one) => one !== side)!;
    const name = `${key} ${side.container}`;
    if (!isSeenServing(sibling)) this.#violate(`I1: ${name} is emptied while ${sibling.container} is not seen serving`);
    const { record } = is;
    if (record?.phase === "reset") {
      const process = this.#cluster.machines.get(key)?.of(sibling.container);
      const isShown = process?.containerID === sibling.status?.containerID && process?.state === "running";
      if (isShown && !process?.took) this.#violate(`I1: ${name} is reset, and ${sibling.container} never took over`);
    }
    if (record?.phase !== "abort" || record.failed === undefined) return;
    this.failures.add(`${before.metadata.uid} ${record.failed.generation}`);
    // It was planned some time before it arrived.
    const elapsed = this.#world.scheduler.now - (this.#begun.get(`${key} ${is.base}`) ?? 0);
    if (record.failed.reason === "ProgressDeadlineExceeded" && elapsed < 16_000) {
      this.#violate(`${name} is aborted by its deadline after ${elapsed} ms`);
    }
  }

  #started(write: Write, was: PairFacts, side: SideFacts, now: SideFacts): void {
    const { key, sidecarSet, failed, before } = write;
    const machine = this.#cluster.machines.get(key);
    const name = `${key} ${side.container}`;
    machine?.nth.set(side.container, ++machine.upgrades);
    if (!side.isEmpty) this.#violate(`${name} gets ${now.image} in place of ${side.image}: a target is never changed`);
    else if (!isSeenServing(side) || !isObserved(before))
      this.#violate(`${name} gets ${now.image}, and was not seen empty`);
    if (sidecarSet === undefined) return;
    const { updateStrategy: strategy = {} } = sidecarSet.spec;
    if (strategy.paused === true || strategy.type === "NotUpdate")
      this.#violate(`I5: ${name} starts, and the pause was seen`);
    const threshold = Number(strategy.hotUpgrade?.failureThreshold ?? 1);
    if (failed >= threshold)
      this.#violate(`I6: ${name} starts after ${failed} failures, and failureThreshold is ${threshold}`);
    const attempt = [before.metadata.uid, was.base, sidecarSet.metadata.uid, sidecarSet.metadata.generation].join(" ");
    // Whoever is shown an old SidecarSet may begin what was superseded; that is aborted again.
    if (!this.#hasStaleLists && this.#attempts.has(attempt)) this.#violate(`${name} is tried twice for one generation`);
    this.#attempts.add(attempt);
    this.#checkBudget(write, name, sidecarSet);
  }

  /** I2, I3. Of what two leaders do at once, neither can know. */
  #checkBudget({ key, before, old, total }: Write, name: string, sidecarSet: SidecarSet): void {
    const inDoubt = this.#world.scheduler.now < this.#leaders.doubtUntil;
    const { maxUnavailable = 1, partition = 0 } = sidecarSet.spec.updateStrategy ?? {};
    const isReady = before.status?.conditions?.find((one) => one.type === "Ready")?.status === "True";
    const others = [...this.#holding].filter((one) => one !== key);
    if (isReady && !inDoubt && others.length >= Number(maxUnavailable)) {
      this.#violate(
        `I2: ${name} starts while ${others.join(", ")} are under way, and maxUnavailable is ${maxUnavailable}`,
      );
    }
    // One that was not ready by itself takes no unit.
    if (isReady) this.#holding.add(key);
    if (!inDoubt && old < Math.min(Number(partition), total) && total > 0) {
      this.#violate(`I3: ${name} starts, and only ${old} of ${total} pods stay old with partition ${partition}`);
    }
  }

  /** Looks at every state of a pod. */
  #look(key: string, pod: Pod): void {
    const pairs = this.#cluster.bases.map((base) => pairFacts(pod, base));
    for (const pair of pairs) {
      if (pair.sides.every((side) => side.isEmpty)) this.#violate(`I1: ${key}: both sides have the empty image`);
      if (pair.serving !== undefined) this.#settled(key, pod, pair, pair.serving);
    }
    const isDone = (pair: PairFacts): boolean =>
      pair.isSettled && pair.sides.every((side) => side === pair.serving || isSeenServing(side));
    if (pairs.every(isDone) && isObserved(pod)) this.#holding.delete(key);
  }

  /** I10. Where one pair was aborted and another one was reset, no hash fits both. */
  #settled(key: string, pod: Pod, pair: PairFacts, serving: SideFacts): void {
    const is = `I10: ${key}: ${serving.container} serves`;
    if (pair.working !== serving.container) this.#violate(`${is}, working is ${pair.working}`);
    if (serving.alt !== "0") this.#violate(`${is} with versionalt ${serving.alt}`);
    const wanted = this.#cluster.wishes.get(hashEntryOf(pod, "mesh"))?.hot[pair.base];
    if (this.#cluster.bases.length === 1 && wanted !== undefined && wanted !== serving.image) {
      this.#violate(`${is} ${serving.image}, the hash entry says ${wanted}`);
    }
  }
}

function isFailure(annotations: Readonly<Record<string, string>>, sidecarSet: SidecarSet | undefined): boolean {
  const hash = sidecarSet?.metadata.annotations?.[HASH_ANNOTATION];
  return Object.entries(annotations).some(([key, text]) => {
    if (!key.startsWith("upgrade.hot.internal/")) return false;
    const { failed } = JSON.parse(text) as { failed?: { hash: string; generation: number } };
    return failed?.hash === hash && failed?.generation === sidecarSet?.metadata.generation;
  });
}

function describe(pod: Pod, bases: readonly string[]): string {
  return bases
    .flatMap((base) => pairFacts(pod, base).sides)
    .map(({ container, image, version }) => `${container}=${image}@${version}`)
    .join(" ");
}
