// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, isStalled, parseObject, type ControllerRevision, type Pod, type SidecarSet } from "@hot/spec";
import type { Cluster } from "./cluster.ts";
import { originOf } from "./images.ts";
import { hashEntryOf, pairFacts } from "./pod-facts.ts";
import type { Scope } from "./scope.ts";
import type { World } from "./world.ts";

/**
 * I11: a revision is called the last good one only if every pod in scope has run it, settled and ready; it stays so and
 * stays in the history until another one is; and a pod that is created while the rollout is stalled gets it if, and
 * only if, that is wished.
 */
export class LastGood {
  readonly #world: World;
  readonly #cluster: Cluster;
  /** `<SidecarSet> <hash>` → UIDs of the pods that were settled and ready with it at some time. */
  readonly #proven = new Map<string, Set<string>>();

  constructor(world: World, cluster: Cluster) {
    this.#world = world;
    this.#cluster = cluster;
    world.server.onCommit(({ plural, type, object, before }) => {
      if (plural === "pods" && type !== "DELETED") {
        for (const scope of cluster.scopes) this.#look(object as Pod, scope, type === "ADDED");
      } else if (plural === "sidecarsets" && type === "MODIFIED") {
        this.#named(before as SidecarSet, object as SidecarSet);
      } else if (plural === "controllerrevisions" && type === "DELETED") {
        this.#truncated(object as ControllerRevision);
      }
    });
  }

  #look(pod: Pod, scope: Scope, isNew: boolean): void {
    const hash = hashEntryOf(pod, scope.name);
    const wish = scope.wishes.get(hash);
    if (wish === undefined) return;
    if (isNew) this.#born(pod, scope, hash);
    const isReady = pod.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
    const runs = scope.bases.every((base) => originOf(pairFacts(pod, base).serving?.image ?? "") === wish.hot[base]);
    if (!isReady || !runs) return;
    const key = `${scope.name} ${hash}`;
    const proven = this.#proven.get(key) ?? new Set();
    this.#proven.set(key, proven.add(pod.metadata.uid ?? ""));
  }

  #named({ status: was }: SidecarSet, { metadata, spec, status }: SidecarSet): void {
    const { name = "" } = metadata;
    const good = status?.lastGoodRevision;
    if (good === was?.lastGoodRevision) return;
    const is = `I11: ${name}: last good revision ${good}`;
    if (good === undefined) return this.#world.violate(`I11: ${name}: ${was?.lastGoodRevision} is forgotten`);
    const hash = metadata.annotations?.[HASH_ANNOTATION] ?? "";
    const recorded = this.#revision(good)?.metadata.annotations?.[HASH_ANNOTATION];
    // The garbage collector takes what an earlier SidecarSet of that name had; it is recorded again.
    if (recorded === undefined && this.#cluster.scope(name).wasDeleted) return;
    if (recorded !== hash) return this.#world.violate(`${is} has hash ${recorded}, and what was rolled out ${hash}`);
    const { matchedPods = 0, updatedReadyPods = 0 } = status ?? {};
    const proven = this.#proven.get(`${name} ${hash}`)?.size ?? 0;
    const { partition = 0 } = spec.updateStrategy ?? {};
    const wanted = Math.max(1, matchedPods - Number(partition));
    if (updatedReadyPods < wanted || proven < wanted) {
      this.#world.violate(`${is} was ready in ${Math.min(updatedReadyPods, proven)} pods, and ${wanted} are in scope`);
    }
  }

  #truncated({ metadata }: ControllerRevision): void {
    for (const { name } of this.#cluster.present) {
      const sidecarSet = this.#world.server.sidecarSet(name);
      const isOwn = metadata.ownerReferences?.some(({ uid }) => uid === sidecarSet?.metadata.uid);
      if (isOwn && sidecarSet?.status?.lastGoodRevision === metadata.name)
        this.#world.violate(`I11: ${name}: the last good revision ${metadata.name} is deleted`);
    }
  }

  #born(pod: Pod, { name }: Scope, hash: string): void {
    const live = this.#world.server.sidecarSet(name);
    if (live === undefined) return;
    const newest = live.metadata.annotations?.[HASH_ANNOTATION];
    const isWished = live.spec.updateStrategy?.hotUpgrade?.newPodsWhenStalled === "LastGood" && isStalled(live);
    const good = isWished ? this.#revision(live.status?.lastGoodRevision) : undefined;
    const wanted = good === undefined ? newest : good.metadata.annotations?.[HASH_ANNOTATION];
    const is = `I11: ns1/${pod.metadata.name} is created with hash ${hash} of ${name}`;
    if (hash !== wanted) return this.#world.violate(`${is}, and ${wanted} is meant`);
    if (good === undefined) return;
    const entries = parseObject(pod.metadata.annotations?.[HASH_ANNOTATION]) ?? {};
    const { controllerRevision } = Object(entries[name]) as { controllerRevision?: string };
    if (controllerRevision !== good.metadata.name)
      this.#world.violate(`${is}, and says revision ${controllerRevision}`);
    if (!this.#proven.has(`${name} ${hash}`)) this.#world.violate(`${is}, which no pod has run`);
  }

  #revision(name: string | undefined): ControllerRevision | undefined {
    const all = [...this.#world.server.table("controllerrevisions").objects.values()];
    return all.find(({ metadata }) => metadata.name === name) as ControllerRevision | undefined;
  }
}
