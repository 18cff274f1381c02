// SPDX-License-Identifier: Apache-2.0
import { reasonCode } from "@hot/spec";
import type { PlannedEvent } from "./events.ts";

/** @param why - as the API server put it */
export function unrecordedText(why: string): string {
  return `its ControllerRevision can't be written: ${why} (${reasonCode("RevisionNotRecorded").code})`;
}

/** Of the SidecarSet; said at each attempt, of which the recorder makes a series. */
export function unrecordedEvent(why: string): PlannedEvent {
  const { code, sentence } = reasonCode("RevisionNotRecorded");
  return {
    type: "Warning",
    reason: "RevisionNotRecorded",
    message: `${code} RevisionNotRecorded: ${sentence} ${why}.`,
  };
}
