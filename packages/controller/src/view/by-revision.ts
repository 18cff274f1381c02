// SPDX-License-Identifier: Apache-2.0
import type { PodView, SidecarSetView } from "./tree.ts";

/** The pods of one revision: one branch of the tree. */
export interface RevisionView {
  /** Name of the ControllerRevision; empty where pods do not say. */
  readonly name: string;
  /** Pods are updated to it. */
  readonly isNewest: boolean;
  readonly pods: readonly PodView[];
}

/** The pods of a SidecarSet by revision: the newest one first, even without pods, then by name; those of none last. */
export function byRevision({ revision, pods }: Pick<SidecarSetView, "revision" | "pods">): RevisionView[] {
  const others = [...new Set(pods.map((one) => one.revision))]
    .filter((name) => name !== revision && name !== "")
    .sort();
  const names = [...(revision === "" ? [] : [revision]), ...others, ""];
  return names
    .map((name) => ({
      name,
      isNewest: name !== "" && name === revision,
      pods: pods.filter((one) => one.revision === name),
    }))
    .filter((one) => one.isNewest || one.pods.length > 0);
}
