// SPDX-License-Identifier: Apache-2.0
import { findCondition, reasonCode, type SidecarSet } from "@hot/spec";
import type { PlannedEvent } from "./events.ts";
import { missingContainers } from "./select-pods.ts";
import type { Lacking } from "./tally.ts";

/** `3 injected pods lack a container of it, web-0 for example y-1, y-2 (HOT1309)`; empty if there are none. */
export function lackingText(sidecarSet: SidecarSet, { count, first }: Lacking): string {
  if (first === undefined) return "";
  const missing = missingContainers(first, sidecarSet).join(", ");
  const { code } = reasonCode("ContainerMissing");
  if (count === 1) return `${first.name} is injected and lacks ${missing} (${code})`;
  return `${count} injected pods lack containers, ${first.name} for example ${missing} (${code})`;
}

/** One of the SidecarSet, until its status says it. */
export function lackingEvents(sidecarSet: SidecarSet, lacking: Lacking): PlannedEvent[] {
  const { code, sentence } = reasonCode("ContainerMissing");
  const ready = findCondition(sidecarSet.status?.conditions, "Ready");
  const isSaid = ready?.observedGeneration === sidecarSet.metadata.generation && ready?.message.includes(code);
  if (lacking.count === 0 || isSaid === true) return [];
  const message = `${code} ContainerMissing: ${sentence} ${lackingText(sidecarSet, lacking)}.`;
  return [{ type: "Warning", reason: "PodNotUpgradable", message }];
}
