// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, RETRY_ANNOTATION, type Pod } from "@hot/spec";
import type { Cluster } from "./cluster.ts";
import type { Write } from "./knowledge.ts";
import type { Leaders } from "./leaders.ts";
import { hashEntryOf, type PairFacts } from "./pod-facts.ts";
import type { World } from "./world.ts";

/** I5, I6: nothing begins in a pause that was seen, nor once a rollout has stalled; and nothing twice. */
export class Attempts {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #leaders: Leaders;
  /** Pods and generations for which an upgrade was started. */
  readonly #attempts = new Set<string>();

  constructor(world: World, cluster: Cluster, leaders: Leaders) {
    this.#world = world;
    this.#cluster = cluster;
    this.#leaders = leaders;
  }

  /** What nobody has answered is no attempt. */
  forget({ metadata }: Pod, base: string): void {
    const attempts = [metadata.uid, base, ""].join(" ");
    for (const one of this.#attempts) if (one.startsWith(attempts)) this.#attempts.delete(one);
  }

  /** @param name of the pod and the container that starts */
  started({ before, knew }: Write, was: PairFacts, name: string): void {
    const { sidecarSet, failed } = knew.get(this.#cluster.ownerOf(was.base).name)!;
    if (sidecarSet === undefined) return;
    const { updateStrategy: strategy = {} } = sidecarSet.spec;
    if (strategy.paused === true || strategy.type === "NotUpdate")
      this.#world.violate(`I5: ${name} starts, and the pause was seen`);
    const threshold = Number(strategy.hotUpgrade?.failureThreshold ?? 1);
    // Whoever asks for this very pod to be tried again is heard though the rollout has stalled.
    if (failed >= threshold && !isAskedAgain(before, was))
      this.#world.violate(`I6: ${name} starts after ${failed} failures, and failureThreshold is ${threshold}`);
    const { uid, generation } = sidecarSet.metadata;
    const retries = [sidecarSet.metadata, before.metadata].map((one) => one.annotations?.[RETRY_ANNOTATION] ?? "");
    const attempt = [before.metadata.uid, was.base, uid, generation, ...retries].join(" ");
    // Whoever is shown an old SidecarSet may begin what was superseded; that is aborted again.
    // So may one of two leaders, as often as the other one aborts it.
    const inDoubt = this.#world.scheduler.now < this.#leaders.doubtUntil;
    if (!this.#world.hasStaleLists && !inDoubt && this.#attempts.has(attempt))
      this.#world.violate(`${name} is tried twice for one generation`);
    this.#attempts.add(attempt);
  }

  /** Of a pod in which nothing changes but its hash entry. */
  marked({ key, knew, before, after }: Write, name: string): void {
    const { sidecarSet } = knew.get(name)!;
    const hash = sidecarSet?.metadata.annotations?.[HASH_ANNOTATION];
    const isMark =
      before.spec === after.spec && hashEntryOf(before, name) !== hash && hashEntryOf(after, name) === hash;
    const { paused, type } = sidecarSet?.spec.updateStrategy ?? {};
    if (isMark && (paused === true || type === "NotUpdate"))
      this.#world.violate(`I5: ${key} is marked as updated by ${name}, and the pause was seen`);
  }
}

/** It has failed before the present value of its own annotation. */
function isAskedAgain({ metadata }: Pod, { record }: PairFacts): boolean {
  const failed = record?.failed;
  return failed !== undefined && (failed.podRetry ?? "") !== (metadata.annotations?.[RETRY_ANNOTATION] ?? "");
}
