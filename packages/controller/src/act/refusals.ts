// SPDX-License-Identifier: Apache-2.0
import type { PlannedEvent } from "../plan/events.ts";

/** Pods whose last refusal is remembered; the oldest is forgotten beyond. */
const MOST = 1_000;

/** A write that is refused is planned again and refused again: only a new cause is said. */
export function createRefusals(): { news(event: PlannedEvent): PlannedEvent[] } {
  const said = new Map<string, string>();
  return {
    news: (event) => {
      const uid = event.pod?.uid ?? "";
      if (said.get(uid) === event.message) return [];
      said.delete(uid);
      said.set(uid, event.message);
      const [oldest] = said.keys();
      if (said.size > MOST && oldest !== undefined) said.delete(oldest);
      return [event];
    },
  };
}
