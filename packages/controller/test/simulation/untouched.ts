// SPDX-License-Identifier: Apache-2.0
import type { Cluster } from "./cluster.ts";
import type { Write } from "./knowledge.ts";
import type { World } from "./world.ts";

/** I8: the controller leaves alone what is not its own. */
export function checkUntouched(world: World, cluster: Cluster, { key, before, after }: Write): void {
  const owners = cluster.scopes.map(({ containers }) => containers);
  const changed = new Set<ReadonlySet<string> | undefined>();
  for (const container of before.spec.containers) {
    const now = after.spec.containers.find((one) => one.name === container.name);
    if (now === container) continue;
    const { image: _, ...rest } = container;
    const { image: __, ...restNow } = now ?? {};
    const owner = owners.find((one) => one.has(container.name));
    changed.add(owner);
    if (owner === undefined || changed.size > 1 || JSON.stringify(rest) !== JSON.stringify(restNow)) {
      world.violate(`I8: ${key}: container ${container.name} was changed`);
    }
  }
  for (const [name, value] of Object.entries(before.metadata.annotations ?? {})) {
    const isOther = !/kruise\.io|upgrade\.hot/.test(name) && name !== "note";
    if (isOther && after.metadata.annotations?.[name] !== value)
      world.violate(`I8: ${key}: annotation ${name} was changed`);
  }
  const note = after.metadata.annotations?.["note"];
  const isWished = note === undefined || cluster.scopes.some(({ notes }) => notes.has(note));
  if (!isWished) world.violate(`I8: ${key}: annotation note is ${note}, which nobody wished for`);
}
