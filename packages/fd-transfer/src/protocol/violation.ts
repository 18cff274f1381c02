// SPDX-License-Identifier: Apache-2.0
import { HandoffError } from "../errors.ts";

/** The peer sent what the protocol does not allow. The connection ends; nothing else is touched. */
export function violation(message: string, cause?: unknown): HandoffError {
  return new HandoffError("HOT4003", message, { phase: "transfer", ...(cause === undefined ? {} : { cause }) });
}
