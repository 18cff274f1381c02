// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, INJECTED_LIST_ANNOTATION, RETRY_ANNOTATION, type Pod, type SidecarSet } from "@hot/spec";
import type { Cluster } from "./cluster.ts";
import type { OnArrival, PatchCall } from "./connection.ts";
import { SLOW_CALL } from "./faults.ts";
import { originOf } from "./images.ts";
import type { Leaders } from "./leaders.ts";
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
import { NamedRevisions } from "./named-revisions.ts";
import type { Replica } from "./replica.ts";
import type { PodProjection } from "../../src/index.ts";
import type { World } from "./world.ts";

/** One write of a pod: who sent it, what that one knew, and what it did. */
interface Write {
  readonly replica: Replica;
  readonly key: string;
  /** What the replica knew of each SidecarSet when it sent the write. */
  readonly knew: ReadonlyMap<string, Knowledge>;
  readonly before: Pod;
  readonly after: Pod;
}

interface Knowledge {
  readonly sidecarSet: SidecarSet | undefined;
  /** Pods that have failed for that generation. */
  readonly failed: number;
  /** Others that stay old, or that Kruise has upgraded just now; and all. */
  readonly old: number;
  readonly total: number;
}

/**
 * What another one has done to other pods within this time before a write was sent, in milliseconds, the plan need not
 * know: it is good for 250 ms, and then the pod may have to be read once.
 */
const PLAN_AGE = 250 + 2 * 10;

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
  /** By SidecarSet: pods that hold a unit of maxUnavailable, by the truth of the API, and the pairs that they hold it for. */
  readonly #holding: ReadonlyMap<string, Map<string, Set<string>>>;
  /** Pods and generations for which an upgrade was started. */
  readonly #attempts = new Set<string>();
  /** Pair of a pod → when its upgrade began. */
  readonly #begun = new Map<string, number>();

  constructor(world: World, cluster: Cluster, leaders: Leaders) {
    this.#world = world;
    this.#cluster = cluster;
    this.#leaders = leaders;
    this.#revisions = new NamedRevisions(world);
    this.#holding = new Map(cluster.scopes.map((one) => [one.name, new Map()]));
    world.server.onCommit(({ plural, key, object, type }) => {
      if (plural !== "pods") return;
      if (type === "DELETED") for (const holding of this.#holding.values()) holding.delete(key);
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
    const knew = new Map(this.#cluster.scopes.map(({ name }) => [name, this.#knowledgeOf(replica, name, key)]));
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

  #knowledgeOf(replica: Replica, name: string, key: string): Knowledge {
    const sidecarSet = replica.knownSidecarSet(name);
    const pods = replica.pods.store
      .list()
      .filter(({ annotations }) => (annotations[INJECTED_LIST_ANNOTATION] ?? "").split(",").includes(name));
    const hash = `"${sidecarSet?.metadata.annotations?.[HASH_ANNOTATION] ?? ""}"`;
    const { scheduler, isSlow } = this.#world;
    const plannedAfter = scheduler.now - PLAN_AGE - (isSlow ? 2 * SLOW_CALL : 0);
    const isOld = (pod: PodProjection): boolean => {
      const other = `${pod.namespace}/${pod.name}`;
      if (other === key) return false;
      const { kruiseBeganAt = 0 } = this.#cluster.machines.get(other) ?? {};
      return kruiseBeganAt >= plannedAfter || !(pod.annotations[HASH_ANNOTATION] ?? "").includes(hash);
    };
    return {
      sidecarSet,
      failed: pods.filter((pod) => isFailure(pod.annotations, sidecarSet, pod.retry)).length,
      old: pods.filter(isOld).length,
      total: pods.length,
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
    for (const { name } of this.#cluster.scopes) this.#marked(write, name);
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

  /** I5: of a pod in which nothing changes but its hash entry. */
  #marked({ key, knew, before, after }: Write, name: string): void {
    const { sidecarSet } = knew.get(name)!;
    const hash = sidecarSet?.metadata.annotations?.[HASH_ANNOTATION];
    const isMark =
      before.spec === after.spec && hashEntryOf(before, name) !== hash && hashEntryOf(after, name) === hash;
    const { paused, type } = sidecarSet?.spec.updateStrategy ?? {};
    if (isMark && (paused === true || type === "NotUpdate"))
      this.#violate(`I5: ${key} is marked as updated by ${name}, and the pause was seen`);
  }

  /** I8. */
  #untouched({ key, before, after }: Write): void {
    const owners = this.#cluster.scopes.map(({ containers }) => containers);
    const changed = new Set<ReadonlySet<string> | undefined>();
    for (const container of before.spec.containers) {
      const now = after.spec.containers.find((one) => one.name === container.name);
      if (now === container) continue;
      const { image: _, ...rest } = container;
      const { image: __, ...restNow } = now ?? {};
      const owner = owners.find((one) => one.has(container.name));
      changed.add(owner);
      if (owner === undefined || changed.size > 1 || JSON.stringify(rest) !== JSON.stringify(restNow)) {
        this.#violate(`I8: ${key}: container ${container.name} was changed`);
      }
    }
    for (const [name, value] of Object.entries(before.metadata.annotations ?? {})) {
      const isOther = !/kruise\.io|upgrade\.hot/.test(name) && name !== "note";
      if (isOther && after.metadata.annotations?.[name] !== value)
        this.#violate(`I8: ${key}: annotation ${name} was changed`);
    }
    const note = after.metadata.annotations?.["note"];
    const isWished = note === undefined || this.#cluster.scopes.some(({ notes }) => notes.has(note));
    if (!isWished) this.#violate(`I8: ${key}: annotation note is ${note}, which nobody wished for`);
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
      const attempts = [before.metadata.uid, is.base, ""].join(" ");
      for (const one of this.#attempts) if (one.startsWith(attempts)) this.#attempts.delete(one);
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
    const { sidecarSet, failed } = write.knew.get(this.#cluster.ownerOf(was.base).name)!;
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
    const { updateStrategy: strategy = {} } = sidecarSet.spec;
    if (strategy.paused === true || strategy.type === "NotUpdate")
      this.#violate(`I5: ${name} starts, and the pause was seen`);
    const threshold = Number(strategy.hotUpgrade?.failureThreshold ?? 1);
    // Whoever asks for this very pod to be tried again is heard though the rollout has stalled.
    if (failed >= threshold && !isAskedAgain(before, was))
      this.#violate(`I6: ${name} starts after ${failed} failures, and failureThreshold is ${threshold}`);
    const { uid, generation } = sidecarSet.metadata;
    const retries = [sidecarSet.metadata, before.metadata].map((one) => one.annotations?.[RETRY_ANNOTATION] ?? "");
    const attempt = [before.metadata.uid, was.base, uid, generation, ...retries].join(" ");
    // Whoever is shown an old SidecarSet may begin what was superseded; that is aborted again.
    // So may one of two leaders, as often as the other one aborts it.
    const inDoubt = this.#world.scheduler.now < this.#leaders.doubtUntil;
    if (!this.#world.hasStaleLists && !inDoubt && this.#attempts.has(attempt))
      this.#violate(`${name} is tried twice for one generation`);
    this.#attempts.add(attempt);
    this.#checkBudget(write, name, was.base, sidecarSet);
  }

  /** I2, I3. Of what two leaders do at once, neither can know. */
  #checkBudget({ key, before, knew }: Write, name: string, base: string, sidecarSet: SidecarSet): void {
    const scope = this.#cluster.ownerOf(base).name;
    const { old, total } = knew.get(scope)!;
    const holding = this.#holding.get(scope)!;
    const inDoubt = this.#world.scheduler.now < this.#leaders.doubtUntil;
    const { maxUnavailable = 1, partition = 0 } = sidecarSet.spec.updateStrategy ?? {};
    const isReady = before.status?.conditions?.find((one) => one.type === "Ready")?.status === "True";
    for (const one of holding.keys()) if (this.#isGivenUp(one, scope)) holding.delete(one);
    const others = [...holding.keys()].filter((one) => one !== key);
    if (isReady && !inDoubt && others.length >= Number(maxUnavailable)) {
      this.#violate(
        `I2: ${name} starts while ${others.join(", ")} are under way, and maxUnavailable is ${maxUnavailable}`,
      );
    }
    // One that was not ready by itself takes no unit.
    const held = holding.get(key);
    if (held !== undefined) held.add(base);
    else if (isReady) holding.set(key, new Set([base]));
    if (!inDoubt && old < Math.min(Number(partition), total) && total > 0) {
      this.#violate(`I3: ${name} starts, and only ${old} of ${total} pods stay old with partition ${partition}`);
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

  /** Looks at every state of a pod. */
  #look(key: string, pod: Pod): void {
    const isDone = (pair: PairFacts): boolean =>
      pair.isSettled && pair.sides.every((side) => side === pair.serving || isSeenServing(side));
    for (const { name, bases } of this.#cluster.scopes) {
      const pairs = bases
        .map((base) => pairFacts(pod, base))
        .filter(({ sides }) => sides.some((side) => side.image !== ""));
      for (const pair of pairs) {
        if (pair.sides.every((side) => side.isEmpty)) this.#violate(`I1: ${key}: both sides have the empty image`);
        if (pair.serving !== undefined) this.#settled(key, pod, pair, pair.serving);
      }
      // A pair that has nothing to do with it may be not ready by itself.
      const held = this.#holding.get(name)?.get(key);
      // Not ready for other reasons than what is written into it.
      if (
        isSilent(pod) ||
        pairs.some(({ record }) => record?.unanswered && record.phase === "abort" && !isHeard(pod, record))
      )
        this.#holding.get(name)?.delete(key);
      const isOver = pairs.every((pair) => held?.has(pair.base) !== true || isDone(pair));
      if (isOver && isObserved(pod)) this.#holding.get(name)?.delete(key);
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

function isFailure(
  annotations: Readonly<Record<string, string>>,
  sidecarSet: SidecarSet | undefined,
  podRetry = "",
): boolean {
  const hash = sidecarSet?.metadata.annotations?.[HASH_ANNOTATION];
  return Object.entries(annotations).some(([key, text]) => {
    if (!key.startsWith("upgrade.hot.internal/")) return false;
    const { failed } = JSON.parse(text) as { failed?: FailureFacts };
    return (
      failed?.hash === hash &&
      failed?.generation === sidecarSet?.metadata.generation &&
      (failed?.retry ?? "") === (sidecarSet?.metadata.annotations?.[RETRY_ANNOTATION] ?? "") &&
      (failed?.podRetry ?? "") === podRetry
    );
  });
}

type FailureFacts = NonNullable<NonNullable<PairFacts["record"]>["failed"]>;

/** It has failed before the present value of its own annotation. */
function isAskedAgain({ metadata }: Pod, { record }: PairFacts): boolean {
  const failed = record?.failed;
  return failed !== undefined && (failed.podRetry ?? "") !== (metadata.annotations?.[RETRY_ANNOTATION] ?? "");
}

function describe(pod: Pod, bases: readonly string[]): string {
  return bases
    .flatMap((base) => pairFacts(pod, base).sides)
    .map(({ container, image, version }) => `${container}=${image}@${version}`)
    .join(" ");
}
