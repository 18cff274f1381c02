// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet } from "@hot/spec";

/** What a SidecarSet wants of its pods: the same object as long as it wants the same. */
export interface Wish {
  readonly text: string;
}

/**
 * Tells whether a SidecarSet wants something else than the last time. Its status and version change with each status
 * that is written, and all that depends on them in a pod is what is put into a write.
 */
export function createWishes(): (sidecarSet: SidecarSet | undefined) => Wish | undefined {
  let last: { readonly of: SidecarSet; readonly wish: Wish } | undefined;
  return (sidecarSet) => {
    if (sidecarSet === undefined) return undefined;
    if (last?.of === sidecarSet) return last.wish;
    const text = textOf(sidecarSet);
    const wish = last?.wish.text === text ? last.wish : { text };
    last = { of: sidecarSet, wish };
    return wish;
  };
}

function textOf(sidecarSet: SidecarSet): string {
  const metadata = { ...sidecarSet.metadata, resourceVersion: undefined, managedFields: undefined };
  return JSON.stringify({ ...sidecarSet, metadata, status: undefined });
}
