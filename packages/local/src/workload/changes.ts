// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from "node:timers/promises";
import type { Api, Resource } from "@hot/kube";
import type { ObjectMeta } from "@hot/spec";
import type { Log } from "../api/log.ts";

const RETRY_MS = 250;

/** The fields by which the loops decide whom a change concerns. */
export interface Changed {
  metadata: ObjectMeta;
  spec: { nodeName?: string };
}

/**
 * Calls `changed` for every object that exists and for every later change of one, until the signal is aborted. Nothing is
 * kept: after a gap all objects are reported again, so the receiver must be level-triggered.
 */
export async function followChanges(
  api: Api,
  resource: Resource,
  { signal, log, fieldSelector }: { signal: AbortSignal; log: Log; fieldSelector?: string },
  changed: (object: Changed, deleted: boolean) => void,
): Promise<void> {
  const selector = fieldSelector === undefined ? {} : { fieldSelector };
  while (!signal.aborted) {
    try {
      const { items, metadata } = await api.list<Changed>(resource, { signal, ...selector });
      for (const item of items) changed(item, false);
      for await (const event of api.watch<Changed>(resource, {
        signal,
        resourceVersion: metadata.resourceVersion,
        ...selector,
      })) {
        if (event.type === "ERROR") break;
        if (event.type !== "BOOKMARK") changed(event.object, event.type === "DELETED");
      }
    } catch (error) {
      if (signal.aborted) return;
      log(`the watch of ${resource.plural} broke and starts again: ${String(error)}`);
      await delay(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
}
