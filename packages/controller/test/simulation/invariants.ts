// SPDX-License-Identifier: Apache-2.0
import type { Pod } from "@hot/spec";
import { Attempts } from "./attempts.ts";
import type { Cluster } from "./cluster.ts";
import type { OnArrival, PatchCall } from "./connection.ts";
import { SLOW_CALL } from "./faults.ts";
import { HeldUnits } from "./held-units.ts";
import { originOf } from "./images.ts";
import { knowledgeOf, PLAN_AGE, type Write } from "./knowledge.ts";
import type { Leaders } from "./leaders.ts";
import { NamedRevisions } from "./named-revisions.ts";
import {
  hasNoServingSide,
  hashEntryOf,
  isHeard,
  isObserved,
  isSeenServing,
  isSilent,
  pairFacts,
  type PairFacts,
  type SideFacts,
} from "./pod-facts.ts";
import type { Replica } from "./replica.ts";
import { checkUntouched } from "./untouched.ts";
import type { World } from "./world.ts";

/**
 * A deadline of 20 s, the shortest, is seen over no sooner after the write has arrived, in milliseconds: it counts from
 * the plan, in whole seconds.
 */
const LEAST_PROGRESS = 20_000 - 1_000 - PLAN_AGE - SLOW_CALL;

/** The invariants, checked at every write of the controller: when it is sent, and when it is carried out. */
export class Invariants {
  writes = 0;
  lastWriteAt = 0;
  /** `<SidecarSet> <pod UID> <generation>` of upgrades that were aborted as failed. */
  readonly failures = new Set<string>();
  /** `<SidecarSet> <generation>`: then a pod of it had no side that served. */
  readonly unserved = new Set<string>();
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #leaders: Leaders;
  readonly #revisions: NamedRevisions;
  readonly #units: HeldUnits;
  readonly #attempts: Attempts;
  /** Pair of a pod → when its upgrade began. */
  readonly #begun = new Map<string, number>();

  constructor(world: World, cluster: Cluster, leaders: Leaders) {
    this.#world = world;
    this.#cluster = cluster;
    this.#leaders = leaders;
    this.#revisions = new NamedRevisions(world);
    this.#units = new HeldUnits(world, cluster, leaders);
    this.#attempts = new Attempts(world, cluster, leaders);
    world.server.onCommit(({ plural, key, object, type }) => {
      if (plural !== "pods") return;
      if (type === "DELETED") this.#units.drop(key);
      else {
        this.#look(key, object as Pod);
        this.#noteUnserved(object as Pod);
      }
    });
  }

  #noteUnserved(pod: Pod): void {
    for (const { name, bases } of this.#cluster.scopes) {
      if (!bases.some((base) => hasNoServingSide(pairFacts(pod, base)))) continue;
      this.unserved.add(`${name} ${this.#world.server.sidecarSet(name)?.metadata.generation ?? 0}`);
    }
  }

  /** For some time two replicas held themselves for the leader. */
  get hadTwoLeaders(): boolean {
    return this.#leaders.doubtUntil > 0;
  }

  inspect(replica: Replica, call: PatchCall): OnArrival {
    const { server } = this.#world;
    const { plural, key, subresource } = call;
    if (this.#leaders.current !== replica && !replica.isDeluded)
      this.#violate(`I5: ${replica.name} writes, and does not lead`);
    if (plural !== "pods" || subresource !== undefined) return (carryOut) => this.#noted(replica, call, carryOut());
    const knew = new Map(
      this.#cluster.scopes.map(({ name }) => [name, knowledgeOf(this.#world, this.#cluster, replica, name, key)]),
    );
    return (carryOut) => {
      const before = server.pod(key);
      const answer = carryOut();
      const after = server.pod(key);
      if (before !== undefined && after !== undefined && before !== after) {
        this.#written({ replica, key, knew, before, after });
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
    checkUntouched(this.#world, this.#cluster, write);
    for (const { name } of this.#cluster.scopes) this.#attempts.marked(write, name);
    for (const { name } of this.#cluster.scopes) this.#revisions.written(key, name, before, after);
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

  /** A side is emptied only while its sibling is seen serving; by a reset only if that one has taken over. */
  #emptied({ key, before }: Write, was: PairFacts, side: SideFacts, is: PairFacts): void {
    const sibling = was.sides.find((one) => one !== side)!;
    const name = `${key} ${side.container}`;
    if (!isSeenServing(sibling)) this.#violate(`I1: ${name} is emptied while ${sibling.container} is not seen serving`);
    const { record } = is;
    const heard = was.record === undefined || isHeard(before, was.record);
    if (record?.phase === "abort" && record.unanswered) {
      if (heard) this.#violate(`I13: ${name} is taken back, and its kubelet has been heard of`);
      this.#attempts.forget(before, is.base);
    }
    if (record?.phase === "reset") {
      const process = this.#cluster.machines.get(key)?.of(sibling.container);
      const isShown = process?.containerID === sibling.status?.containerID && process?.state === "running";
      if (isShown && !process?.took) this.#violate(`I1: ${name} is reset, and ${sibling.container} never took over`);
    }
    if (record?.phase !== "abort" || record.failed === undefined) return;
    this.failures.add(`${this.#cluster.ownerOf(is.base).name} ${before.metadata.uid} ${record.failed.generation}`);
    if (!heard) this.#violate(`I13: ${name} has failed, and its kubelet has not been heard of`);
    const elapsed = this.#world.scheduler.now - (this.#begun.get(`${key} ${is.base}`) ?? 0);
    // A leader that stood still between its plan and its write has set a deadline that was over when it arrived.
    const inDoubt = this.#world.scheduler.now < this.#leaders.doubtUntil;
    if (record.failed.reason === "ProgressDeadlineExceeded" && elapsed < LEAST_PROGRESS && !inDoubt) {
      this.#violate(`${name} is aborted by its deadline after ${elapsed} ms`);
    }
  }

  #started(write: Write, was: PairFacts, side: SideFacts, now: SideFacts): void {
    const { key, before } = write;
    const { sidecarSet } = write.knew.get(this.#cluster.ownerOf(was.base).name)!;
    const name = `${key} ${side.container}`;
    this.#cluster.machines.get(key)?.upgrade(side.container, now.version);
    if (isSilent(before)) this.#violate(`I13: ${name} starts on a node that does not answer`);
    // Where no side serves, what has failed gives way to another image.
    const isLost = was.isUpgrading && !was.sides.some((one) => isSeenServing(one)) && side.image !== now.image;
    if (isLost) this.#world.note(() => `${name}: gets ${now.image} in place of ${side.image}`);
    else if (!side.isEmpty)
      this.#violate(`${name} gets ${now.image} in place of ${side.image}: a target is never changed`);
    else if (!isSeenServing(side) || !isObserved(before))
      this.#violate(`${name} gets ${now.image}, and was not seen empty`);
    if (sidecarSet === undefined) return;
    this.#attempts.started(write, was, name);
    this.#units.check(write, name, was.base, sidecarSet);
  }

  /** Looks at every state of a pod. */
  #look(key: string, pod: Pod): void {
    for (const { name, bases } of this.#cluster.scopes) {
      const pairs = bases
        .map((base) => pairFacts(pod, base))
        .filter(({ sides }) => sides.some((side) => side.image !== ""));
      for (const pair of pairs) {
        if (pair.sides.every((side) => side.isEmpty)) this.#violate(`I1: ${key}: both sides have the empty image`);
        if (pair.serving !== undefined) this.#settled(key, pod, pair, pair.serving);
      }
      this.#units.look(key, pod, name, pairs);
    }
  }

  /** I10. Where one pair was aborted and another one was reset, no hash fits both. */
  #settled(key: string, pod: Pod, pair: PairFacts, serving: SideFacts): void {
    const is = `I10: ${key}: ${serving.container} serves`;
    if (pair.working !== serving.container) this.#violate(`${is}, working is ${pair.working}`);
    if (serving.alt !== "0") this.#violate(`${is} with versionalt ${serving.alt}`);
    const { name, bases, wishes } = this.#cluster.ownerOf(pair.base);
    const wanted = wishes.get(hashEntryOf(pod, name))?.hot[pair.base];
    if (bases.length === 1 && wanted !== undefined && wanted !== originOf(serving.image)) {
      this.#violate(`${is} ${serving.image}, the hash entry says ${wanted}`);
    }
  }
}

function describe(pod: Pod, bases: readonly string[]): string {
  return bases
    .flatMap((base) => pairFacts(pod, base).sides)
    .map(({ container, image, version }) => `${container}=${image}@${version}`)
    .join(" ");
}
