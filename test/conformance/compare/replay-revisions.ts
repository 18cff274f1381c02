// SPDX-License-Identifier: Apache-2.0
import { CUSTOM_VERSION_LABEL, syncRevisions, type ControllerRevision, type SidecarSet } from "@hot/spec";
import { canonicalJson } from "../../../packages/spec/src/revision.ts";

export interface RevisionStep {
  sidecarSet: SidecarSet;
  revisionsUsedByPods?: string[];
}

/** The store after every step, in the corpus' form. */
export function replayRevisions(existing: readonly ControllerRevision[], steps: readonly RevisionStep[]): unknown[] {
  const store = new Map(existing.map((one) => [one.metadata.name ?? "", structuredClone(one)]));
  let collisionCount = 0;
  return steps.map(({ sidecarSet: given, revisionsUsedByPods = [] }) => {
    const status = { matchedPods: 0, updatedPods: 0, readyPods: 0, ...given.status, collisionCount };
    const sync = syncRevisions({
      sidecarSet: { ...given, status },
      existing: [...store.values()],
      usedByPods: new Set(revisionsUsedByPods),
      namespace: "kruise-system",
    });
    if (sync.create) store.set(sync.create.metadata.name ?? "", sync.create);
    if (sync.renumber) store.get(sync.renumber.name)!.revision = sync.renumber.revision;
    if (sync.relabel) {
      const { metadata } = store.get(sync.relabel.name)!;
      metadata.labels = { ...metadata.labels, [CUSTOM_VERSION_LABEL]: sync.relabel.customVersion };
    }
    for (const name of sync.delete) store.delete(name);
    ({ collisionCount } = sync);
    const revisions = [...store.values()]
      .sort((a, b) => a.revision - b.revision || (a.metadata.name! < b.metadata.name! ? -1 : 1))
      .map(({ metadata, revision, data }) => {
        const { name, namespace, labels, annotations, ownerReferences } = metadata;
        return {
          name,
          namespace,
          labels,
          annotations,
          ownerReferences: ownerReferences ?? null,
          revision,
          data: canonicalJson(data),
        };
      });
    return { latestRevision: sync.latest, collisionCount, revisions };
  });
}
