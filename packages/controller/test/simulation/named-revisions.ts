// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, parseObject, type ControllerRevision, type Pod } from "@hot/spec";
import type { World } from "./world.ts";

/**
 * I12: the revision that a write leaves in a pod is the one of its hash. Injection and Kruise go by the status of the
 * SidecarSet, which may be behind: what they have put into the pod may come back in an abort.
 */
export class NamedRevisions {
  readonly #world: World;
  /** Pod UID → names and hashes that it has had before a write. */
  readonly #had = new Map<string, Set<string>>();

  constructor(world: World) {
    this.#world = world;
  }

  written(key: string, name: string, before: Pod, after: Pod): void {
    const { uid = "" } = before.metadata;
    const had = this.#had.get(uid) ?? new Set();
    this.#had.set(uid, had.add(JSON.stringify(entryOf(before, name))));
    const { hash, controllerRevision } = entryOf(after, name);
    if (controllerRevision === undefined || had.has(JSON.stringify({ hash, controllerRevision }))) return;
    const revisions = [...this.#world.server.table("controllerrevisions").objects.values()] as ControllerRevision[];
    const named = revisions.find(({ metadata }) => metadata.name === controllerRevision);
    const recorded = named?.metadata.annotations?.[HASH_ANNOTATION];
    if (named === undefined || recorded === hash) return;
    this.#world.violate(
      `I12: ${key}: ${name} has hash ${hash}, and ${controllerRevision} is the revision of ${recorded}`,
    );
  }
}

interface Entry {
  readonly hash?: string;
  readonly controllerRevision?: string;
}

function entryOf(pod: Pod, name: string): Entry {
  const entries = parseObject(pod.metadata.annotations?.[HASH_ANNOTATION]) ?? {};
  const { hash, controllerRevision } = Object(entries[name]) as Entry;
  return { ...(hash !== undefined && { hash }), ...(controllerRevision !== undefined && { controllerRevision }) };
}
