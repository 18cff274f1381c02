// SPDX-License-Identifier: Apache-2.0
import { ApiError, type Api, type Clock } from "@hot/kube";
import type { SidecarSet, SidecarSetStatus } from "@hot/spec";
import { createStatusPace } from "./status-pace.ts";
import { statusChanged, writeStatus } from "./write-status.ts";

export interface StatusReportOptions {
  readonly api: Pick<Api, "patch">;
  readonly clock: Clock;
  /** A write has made this of the SidecarSet. */
  readonly written: (after: SidecarSet) => void;
  /** Reads it from the API server: it is not as it was believed to be. */
  readonly readAgain: (name: string, signal: AbortSignal) => Promise<unknown>;
}

/**
 * Writes the status where it says anything new; returns how long it has to wait, in milliseconds.
 *
 * @param stored - the SidecarSet as the API server has it; absent: it is gone
 */
export type ReportStatus = (
  name: string,
  stored: SidecarSet | undefined,
  status: SidecarSetStatus | undefined,
  signal: AbortSignal,
) => Promise<number>;

export function createStatusReport({ api, clock, written, readAgain }: StatusReportOptions): ReportStatus {
  const pace = createStatusPace(() => clock.now());
  return async (name, stored, status, signal) => {
    if (stored === undefined || status === undefined) {
      pace.forget(name);
      return 0;
    }
    if (!statusChanged(stored, status)) return 0;
    const held = pace.wait(name, stored.status ?? {}, status);
    if (held > 0) return held;
    try {
      written(await writeStatus(api, stored, status));
      pace.wrote(name);
    } catch (error) {
      const code = error instanceof ApiError ? error.status : undefined;
      // The cache will say what there is now; but not after etcd was restored, where that is older.
      if (code === 409) await readAgain(name, signal).catch(() => undefined);
      if (code !== 404) throw error;
    }
    return 0;
  };
}
