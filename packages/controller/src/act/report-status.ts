// SPDX-License-Identifier: Apache-2.0
import { ApiError, type Api, type Clock } from "@hot/kube";
import type { SidecarSet, SidecarSetStatus } from "@hot/spec";
import type { DroppedStatus } from "./dropped-status.ts";
import { createStatusPace } from "./status-pace.ts";
import { statusChanged, writeStatus } from "./write-status.ts";

export interface StatusReportOptions {
  readonly api: Pick<Api, "patch">;
  readonly clock: Clock;
  readonly dropped: DroppedStatus;
  /** A write has made this of the SidecarSet. */
  readonly written: (after: SidecarSet) => void;
  /** Reads it from the API server: it is not as it was believed to be. */
  readonly readAgain: (name: string, signal: AbortSignal) => Promise<unknown>;
}

/**
 * Writes the status where it says anything new; returns when it has to be looked at again, in milliseconds; 0: when it
 * changes.
 *
 * @param stored - the SidecarSet as the API server has it, with what it has dropped; absent: it is gone
 */
export type ReportStatus = (
  name: string,
  stored: SidecarSet | undefined,
  status: SidecarSetStatus | undefined,
  signal: AbortSignal,
) => Promise<number>;

export function createStatusReport({ api, clock, dropped, written, readAgain }: StatusReportOptions): ReportStatus {
  const pace = createStatusPace(() => clock.now());
  return async (name, stored, status, signal) => {
    if (stored === undefined || status === undefined) {
      pace.forget(name);
      return 0;
    }
    const dueIn = dropped.dueIn(stored);
    if (!statusChanged(stored, status) && dueIn !== 0) return dueIn ?? 0;
    const version = stored.metadata.resourceVersion ?? "";
    const held = pace.wait(name, { status: stored.status ?? {}, version }, status);
    if (held > 0) return held;
    try {
      const after = await writeStatus(api, stored, status);
      dropped.wrote(after, status);
      written(after);
      pace.wrote(name);
    } catch (error) {
      pace.failed(name, version);
      const code = error instanceof ApiError ? error.status : undefined;
      // The cache will say what there is now; but not after etcd was restored, where that is older.
      if (code === 409) await readAgain(name, signal).catch(() => undefined);
      if (code !== 404) throw error;
    }
    return dropped.dueIn(stored) ?? 0;
  };
}
