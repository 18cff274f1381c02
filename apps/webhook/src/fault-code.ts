// SPDX-License-Identifier: Apache-2.0
import { ApiError, ConnectionError, type RestartCause } from "@hot/kube";
import { reasonCode, type OperationReason } from "@hot/spec";

/**
 * The code for a log line on a failed call to the API server, by its `err` and, of a watch, its `cause`; absent where
 * only the message says what is the case.
 */
export function faultCode({ err, cause }: { err?: unknown; cause?: unknown }): string | undefined {
  const reason = cause === SILENT ? "WatchStale" : reasonOf(err);
  return reason && reasonCode(reason).code;
}

const SILENT: RestartCause = "silent";
const REFUSED: Partial<Record<number, OperationReason>> = { 403: "ApiForbidden", 429: "ApiThrottled" };

function reasonOf(error: unknown): OperationReason | undefined {
  if (error instanceof ApiError) return REFUSED[error.status];
  if (!(error instanceof ConnectionError)) return undefined;
  // An answer came all the same.
  return error.code === "KUBE_MALFORMED" || error.code === "KUBE_TOO_LARGE" ? undefined : "ApiUnreachable";
}
