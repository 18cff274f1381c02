// SPDX-License-Identifier: Apache-2.0
import type { ApiStatus } from "./api.ts";
import { ApiError, ConnectionError } from "./api-error.ts";
import { SilentStreamError } from "./watch-session.ts";

/**
 * Why a reflector began anew: the server `ended` the watch as agreed; the resourceVersion is `gone`; the connection was
 * `cut` or never came about; the stream was `silent`; the server `throttled` (429) or `refused` otherwise; an event was
 * `malformed` or too large; the `list` failed.
 */
export type RestartCause = "ended" | "gone" | "cut" | "silent" | "throttled" | "refused" | "malformed" | "list";

/** An ERROR event: the server ends the stream from within. */
export class WatchStatusError extends Error {
  override readonly name = "WatchStatusError";
  readonly status: ApiStatus;

  constructor(status: ApiStatus) {
    super(`the watch ended with ${status.code ?? "an error"} ${status.reason ?? ""}: ${status.message ?? ""}`);
    this.status = status;
  }
}

/** How a failure is counted, and whether the watch can go on where it was or needs a list first. */
export function noteOf(error: unknown, wasListing: boolean): { cause: RestartCause; relist: boolean } {
  if (wasListing) return { cause: "list", relist: true };
  if (error instanceof SilentStreamError) return { cause: "silent", relist: false };
  if (error instanceof WatchStatusError) {
    // Whatever it is, a list heals it; going on from the same place may end in the same error for ever.
    return { cause: error.status.code === 410 ? "gone" : "refused", relist: true };
  }
  if (error instanceof ApiError) return noteOfRefusal(error);
  if (error instanceof ConnectionError && (error.code === "KUBE_MALFORMED" || error.code === "KUBE_TOO_LARGE")) {
    // The same event would come again; a list gets past it.
    return { cause: "malformed", relist: true };
  }
  return { cause: "cut", relist: false };
}

function noteOfRefusal({ status, body }: ApiError): { cause: RestartCause; relist: boolean } {
  if (status === 410) return { cause: "gone", relist: true };
  if (status === 429) return { cause: "throttled", relist: false };
  // After a restore from a backup the server knows nothing of our resourceVersion: 400, or 504 with this cause.
  const ahead = body.details?.causes?.some(({ reason }) => reason === "ResourceVersionTooLarge") ?? false;
  return { cause: "refused", relist: status === 400 || ahead };
}
