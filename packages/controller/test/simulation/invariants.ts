// SPDX-License-Identifier: Apache-2.0
import type { Pod, SidecarSet } from "@hot/spec";
import type { OnArrival, PatchCall } from "./connection.ts";
import type { Machine } from "./machine.ts";
import { hashEntryOf, isObserved, isSeenServing, pairFacts, type PairFacts, type SideFacts } from "./pod-facts.ts";
import type { Replica } from "./replica.ts";
import type { World } from "./world.ts";

/** What a replica knew when it sent a write. */
interface Known {
  readonly replica: Replica;
  readonly sidecarSet: SidecarSet | undefined;
  readonly failed: number;
}

export interface Cast {
  readonly world: World;
  readonly machines: ReadonlyMap<string, Machine>;
  readonly bases: readonly string[];
  /** The replica that may write. */
  readonly leader: () => Replica | undefined;
  /** Hash of a SidecarSet → images by base name. */
  readonly imagesOf: (hash: string) => Readonly<Record<string, string>> | undefined;
}

/** The invariants, checked at every write of the controller: when it is sent, and when it is carried out. */
export class Invariants {
  readonly #cast: Cast;
  /** Pods that hold a unit of maxUnavailable, by the truth of the API. */
  readonly #holding = new Set<string>();
  /** Starts by pod UID and generation of the SidecarSet. */
  readonly #started = new Set<string>();
  writes = 0;

  constructor(cast: Cast) {
    this.#cast = cast;
    cast.world.server.onCommit(({ plural, key, object, type }) => {
      if (plural !== "pods") return;
      if (type === "DELETED") this.#holding.delete(key);
      else this.#look(key, object as Pod);
    });
  }

  inspect(replica: Replica, call: PatchCall): OnArrival {
    const { world, leader } = this.#cast;
    if (leader() !== replica && !replica.isDeluded) world.violate(`I5: ${replica.name} writes and does not lead`);
    if (call.plural !== "pods" || call.subresource !== undefined) return (carryOut) => carryOut();
    const known: Known = { replica, sidecarSet: replica.knownSidecarSet("mesh"), failed: 0 };
    return (carryOut) => {
      const before = world.server.pod(call.key);
      const answer = carryOut();
      const after = world.server.pod(call.key);
      if (before !== undefined && after !== undefined && before !== after) this.#written(known, call, before, after);
      return answer;
    };
  }

  #written(known: Known, { key }: PatchCall, before: Pod, after: Pod): void {
    const { world, bases } = this.#cast;
    this.writes++;
    world.note(() => `${known.replica.name}: writes ${key} ${describe(after, bases)}`);
    for (const base of bases) {
      const [was, is] = [pairFacts(before, base), pairFacts(after, base)];
      is.sides.forEach((side, index) => {
        const old = was.sides[index]!;
        if (old.image === side.image) return;
        if (side.isEmpty) this.#emptied(key, was, old, is, before);
        else this.#begun(known, key, was, old, side, before);
      });
    }
  }

  /** A side is emptied only while its sibling is seen serving; by a reset only if that one has taken over. */
  #emptied(key: string, was: PairFacts, side: SideFacts, is: PairFacts, before: Pod): void {
    const { world, machines } = this.#cast;
    const sibling = was.sides.find((one) => one !== side)!;
    const name = `${key} ${side.container}`;
    if (sibling.isEmpty) world.violate(`I1: ${name} is emptied, and its sibling has the empty image`);
    if (!isSeenServing(sibling)) {
      world.violate(`I1: ${name} is emptied while ${sibling.container} is not seen serving (${before.status?.phase})`);
    }
    if (is.record?.phase !== "reset") return;
    const process = machines.get(key)?.of(sibling.container);
    const isShown = process?.containerID === sibling.status?.containerID && process?.state === "running";
    if (isShown && !process?.took) world.violate(`I1: ${name} is reset, and ${sibling.container} never took over`);
  }

  #begun(known: Known, key: string, was: PairFacts, side: SideFacts, now: SideFacts, before: Pod): void {
    const { world, machines } = this.#cast;
    const name = `${key} ${side.container}`;
    const machine = machines.get(key);
    machine?.nth.set(side.container, ++machine.upgrades);
    if (!side.isEmpty) world.violate(`${name} gets ${now.image} in place of ${side.image}: a target is not changed`);
    else if (!isSeenServing(side) || !isObserved(before))
      world.violate(`${name} gets ${now.image}, and was not seen empty`);
    const { sidecarSet } = known;
    if (sidecarSet === undefined) return;
    const { paused, type, maxUnavailable = 1 } = sidecarSet.spec.updateStrategy ?? {};
    if (paused === true || type === "NotUpdate") world.violate(`I5: ${name} starts, and the pause has been seen`);
    const isReady = before.status?.conditions?.find((one) => one.type === "Ready")?.status === "True";
    const others = [...this.#holding].filter((one) => one !== key);
    if (isReady && others.length >= Number(maxUnavailable)) {
      world.violate(
        `I2: ${name} starts while ${others.join(", ")} are under way, and maxUnavailable is ${maxUnavailable}`,
      );
    }
    const attempt = `${before.metadata.uid} ${sidecarSet.metadata.uid} ${sidecarSet.metadata.generation} ${was.base}`;
    if (this.#started.has(attempt)) world.violate(`${name} is tried twice for one generation`);
    this.#started.add(attempt);
    // One that was not ready by itself takes no unit.
    if (isReady) this.#holding.add(key);
  }

  /** Looks at every state of a pod. */
  #look(key: string, pod: Pod): void {
    const { world, bases } = this.#cast;
    const pairs = bases.map((base) => pairFacts(pod, base));
    for (const pair of pairs) {
      if (pair.sides.every((side) => side.isEmpty)) world.violate(`I1: ${key}: both sides have the empty image`);
      if (pair.serving !== undefined) this.#settled(key, pod, pair, pair.serving);
    }
    const isDone = (pair: PairFacts): boolean =>
      pair.isSettled && pair.sides.every((side) => side === pair.serving || isSeenServing(side));
    if (pairs.every(isDone) && isObserved(pod)) this.#holding.delete(key);
  }

  /** I10. */
  #settled(key: string, pod: Pod, pair: PairFacts, serving: SideFacts): void {
    const { world, imagesOf } = this.#cast;
    if (pair.working !== serving.container)
      world.violate(`I10: ${key}: ${serving.container} serves, working is ${pair.working}`);
    if (serving.alt !== "0") world.violate(`I10: ${key}: ${serving.container} serves with versionalt ${serving.alt}`);
    const hash = hashEntryOf(pod, "mesh");
    const images = hash === "" ? undefined : imagesOf(hash);
    const wanted = images?.[pair.base];
    if (wanted !== undefined && wanted !== serving.image) {
      world.violate(`I10: ${key}: ${serving.container} serves ${serving.image}, the hash entry says ${wanted}`);
    }
  }
}

function describe(pod: Pod, bases: readonly string[]): string {
  return bases
    .flatMap((base) => pairFacts(pod, base).sides)
    .map(({ container, image, version }) => `${container}=${image}@${version}`)
    .join(" ");
}
