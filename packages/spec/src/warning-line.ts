// SPDX-License-Identifier: Apache-2.0
import { reasonCode, type Reason } from "./reason-codes.ts";

/**
 * One line for people: where, what is the case, what to do, and the code.
 *
 * @example "spec.containers[0].nmae: The field is not known; … Did you mean name? (HOT3901)"
 */
export function warningLine(reason: Reason, where: string, fix?: string): string {
  const entry = reasonCode(reason);
  return `${where}: ${entry.sentence} ${fix ?? entry.fix} (${entry.code})`;
}
