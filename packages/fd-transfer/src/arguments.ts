// SPDX-License-Identifier: Apache-2.0
import { inspect } from "node:util";
import { HandoffError, type HandoffPhase } from "./errors.ts";

/** Plain JavaScript passes anything: a value in a message, so that "8080" is not taken for 8080. */
export function shown(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 200 });
}

/** @throws HandoffError HOT4014 for anything but an object. */
export function mustBeOptions(options: unknown, of: string, phase: HandoffPhase): void {
  if (typeof options === "object" && options !== null) return;
  throw new HandoffError("HOT4014", `the options of ${of} are ${shown(options)}, no object`, { phase });
}
