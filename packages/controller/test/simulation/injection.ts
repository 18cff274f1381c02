// SPDX-License-Identifier: Apache-2.0
import { RESOURCES } from "@hot/kube";
import { HASH_ANNOTATION, parseObject, type ControllerRevision, type Pod } from "@hot/spec";
import { pickRevision } from "../../../inject/src/pick-revision.ts";
import { injectedPod } from "../support/builders.ts";
import type { Scope } from "./scope.ts";
import type { Wish } from "./sidecar-sets.ts";
import type { World } from "./world.ts";

/** What one SidecarSet makes of a pod that is created now, and what that one is injected with. */
export interface Injected {
  readonly pod: Pod;
  readonly wish: Wish;
}

/** As the webhook does it: the SidecarSet as it is, or its last good revision; the pod notes which one it was. */
export function inject(world: World, { name, wish, wishes }: Scope, podName: string): Injected {
  const { server } = world;
  const live = server.sidecarSet(name);
  if (live === undefined) throw new Error(`there is no SidecarSet ${name}`);
  const revisions = server.list(RESOURCES.controllerRevisions).items as ControllerRevision[];
  const { sidecarSet, warning } = pickRevision(live, { metadata: {} } as Pod, revisions, 0);
  if (warning !== undefined) world.note(() => `webhook: ${podName}: ${warning}`);
  const pod = injectedPod(sidecarSet, podName);
  const hashes = parseObject(pod.metadata.annotations?.[HASH_ANNOTATION]) ?? {};
  const { latestRevision } = sidecarSet.status ?? {};
  const entry = { ...Object(hashes[name]), ...(latestRevision && { controllerRevision: latestRevision }) };
  const annotations = { ...pod.metadata.annotations, [HASH_ANNOTATION]: JSON.stringify({ [name]: entry }) };
  return {
    pod: { ...pod, metadata: { ...pod.metadata, annotations } },
    wish: wishes.get(sidecarSet.metadata.annotations?.[HASH_ANNOTATION] ?? "") ?? wish,
  };
}
