// SPDX-License-Identifier: Apache-2.0
import type { Message } from "./message.ts";

export interface Arriving {
  /** Owner for good, and not about to end. */
  readonly serving: boolean;
  /** Whether each connection is what its item says and has somebody to adopt it. */
  readonly wanted: readonly boolean[];
  /** How long whoever sends them should rest before the next batch. */
  readonly restMs: number;
}

/** What the owner does about one CONN, in this order. */
export type ReceiverEffect =
  | { readonly type: "send"; readonly message: Message }
  /** Begin to read it. */
  | { readonly type: "adopt"; readonly index: number }
  | { readonly type: "close"; readonly index: number };

/**
 * The owner's answer to one batch. It says what it takes before it reads a byte: if it dies in between, the other side
 * finds the answer or none, and knows what has become of each connection.
 */
export function receive(batch: number, { serving, wanted, restMs }: Arriving): readonly ReceiverEffect[] {
  const taken = wanted.map((one) => one && serving);
  return [
    { type: "send", message: { type: "CONN_ACK", batch, taken, restMs } },
    ...taken.map((one, index): ReceiverEffect => ({ type: one ? "adopt" : "close", index })),
  ];
}
