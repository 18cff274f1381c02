// SPDX-License-Identifier: Apache-2.0
import type { Message, MessageOf } from "./message.ts";
import type { WordName } from "./word.ts";

export type TimerName = "answer" | "ready" | "guard" | "linger" | "yield";

/** What one side of a hand-over can observe. */
export type LinkEvent =
  | { readonly type: "message"; readonly message: Message }
  /** The peer closed or died; all it had sent has been handled before (R8). */
  | { readonly type: "eof" }
  /** The peer broke the protocol. */
  | { readonly type: "broken"; readonly reason: string }
  | { readonly type: "timer"; readonly name: TimerName }
  /** No PONG for hangMs (`hang`), later for deadMs (`dead`). */
  | { readonly type: "silent"; readonly level: "hang" | "dead" }
  /** The peer spoke again after a silence. */
  | { readonly type: "heard" }
  /** Result of the compare-and-swap asked for; `epoch` is the number taken for it, 0 if none. */
  | { readonly type: "cas"; readonly to: WordName; readonly won: boolean; readonly epoch: bigint }
  /** The process was told to stop. */
  | { readonly type: "terminate" }
  /** The grace after that ends soon. */
  | { readonly type: "graceEnds" }
  /** New side: the descriptors of the last FDS message are taken over and checked, or not. */
  | { readonly type: "adopted"; readonly batch: number; readonly count: number; readonly failure: string | null }
  /** New side: the application has claimed its listeners. */
  | { readonly type: "claimed"; readonly adopted: readonly string[]; readonly closed: readonly string[] }
  /** New side: result of the private probe (before COMMIT), later of the guard's. */
  | { readonly type: "probed"; readonly failure: string | null }
  /** New side, owner: its standby shall let go, because a next HELLO waits (R6). */
  | { readonly type: "releaseStandby" };

/** What concerns the connection alone. */
export type ConnectionEffect =
  | { readonly type: "send"; readonly message: Message }
  /** Compare-and-swap of WORD; `epoch`: write max+1 to the lock file before (the fencing token). */
  | { readonly type: "cas"; readonly from: WordName; readonly to: WordName; readonly epoch: boolean }
  | { readonly type: "timer"; readonly name: TimerName; readonly ms: number }
  | { readonly type: "cancel"; readonly name: TimerName }
  /** PING the peer and report silence. */
  | { readonly type: "watch"; readonly on: boolean }
  | { readonly type: "close" }
  | { readonly type: "ended"; readonly outcome: Outcome };

/** What concerns the whole process. */
export type HostEffect =
  | { readonly type: "sendBatch"; readonly batch: number }
  | { readonly type: "adopt"; readonly message: MessageOf<"FDS"> }
  /** A newer owner serves; this side stands by on the connection (R9). */
  | { readonly type: "waiting" }
  /** All descriptors are here; the application may claim them. */
  | { readonly type: "held" }
  | { readonly type: "probe" }
  | { readonly type: "accept" }
  /** Close Node's handles; dups and L stay. */
  | { readonly type: "stopAccepting" }
  /** This process owns now; `take`: write max+1 first, `read`: as the lock file says. Not `confirmed` during the guard. */
  | { readonly type: "own"; readonly epoch: bigint | "take" | "read"; readonly confirmed: boolean }
  /** This process owns no more, though it may still accept. */
  | { readonly type: "disown" }
  /** Publish owner.sock; only ever by a confirmed owner (R12). */
  | { readonly type: "publish" }
  /** The peer owns for good: drain; dups, L and the connection stay. */
  | { readonly type: "standby" }
  /** The hand-over failed and the old side goes on (or went on). */
  | { readonly type: "failed"; readonly how: "aborted" | "rolled"; readonly reason: string }
  /** Close the dups, then L. */
  | { readonly type: "letGo" }
  /** The owner closed this listener on purpose: close the dup. */
  | { readonly type: "closeListener"; readonly key: string };

/** What one side of a hand-over does about an event, in this order. */
export type LinkEffect = ConnectionEffect | HostEffect;

/** How a link ends; the process decides from it what it is next. */
export type Outcome =
  /** Old: owner as before. */
  | { readonly kind: "kept" }
  /** Old: owner again after CONFIRMED. */
  | { readonly kind: "returned" }
  /** Owns nothing, holds nothing: wait again as standby. */
  | { readonly kind: "released" }
  /** Told to stop and free to do so. */
  | { readonly kind: "left" }
  /** New: nothing was taken over; try again. */
  | { readonly kind: "retry"; readonly afterMs: number; readonly reason: string }
  /** New: a failure that a retry does not mend. */
  | { readonly kind: "refused"; readonly code: string; readonly reason: string }
  /** New: took over from the dead. */
  | { readonly kind: "reclaimed" }
  /** New, owner: the standby is gone. */
  | { readonly kind: "alone" };

export interface Step<S> {
  readonly state: S;
  readonly effects: readonly LinkEffect[];
}

/** What is known at each step besides the event. */
export interface Observed {
  /** WORD as read just now; null while there is none. */
  readonly word: WordName | null;
  /** The connection is known to be at its end. */
  readonly eof: boolean;
}
