// SPDX-License-Identifier: Apache-2.0

/** All codes of the hand-off; `docs/errors.md` is made from it. */
export const handoffErrors = {
  HOT4001: {
    reason: "DirectoryUnsafe",
    fix: "Use a directory of its own, mode 0700, owned by the user of the process, reached without a symbolic link, with room left.",
  },
  HOT4002: {
    reason: "OwnerUnreachable",
    fix: "Run both sides as the same user, or correct owner and mode of the directory; nothing was taken over.",
  },
  HOT4003: {
    reason: "ProtocolViolation",
    fix: "Only processes that use @hot/fd-transfer may connect to this directory.",
  },
  HOT4004: {
    reason: "VersionSkew",
    fix: "Upgrade in two steps over a version that speaks both protocols, or restart the process (cold).",
  },
  HOT4005: { reason: "Refused", fix: "Give both sides the same name and the same token, and run them as one user." },
  HOT4006: {
    reason: "TransferFailed",
    fix: "Raise RLIMIT_NOFILE, or let the security policy (SELinux, AppArmor) pass descriptors between the two sides.",
  },
  HOT4007: { reason: "ProbeFailed", fix: "The new process failed its own probe; the old one goes on. See the cause." },
  HOT4010: {
    reason: "AddressInUse",
    fix: "Stop the process that holds the address, or use the key of the listener it has.",
  },
  HOT4011: {
    reason: "ListenerMismatch",
    fix: "Give the listener the same address in both versions, or another port: the old process still has this one.",
  },
  HOT4012: { reason: "ClusterWorker", fix: "Open the hand-off in the primary process, or run without node:cluster." },
  HOT4013: { reason: "Closed", fix: "The hand-off was closed or told to stop before this finished; open a new one." },
  HOT4014: { reason: "InvalidArgument", fix: "Correct the argument that the message names." },
  HOT4015: {
    reason: "StateRejected",
    fix: "Import the state of the version that is running, or give `migrate` for it. See the cause; the old process goes on.",
  },
} as const;

export type HandoffErrorCode = keyof typeof handoffErrors;

/** Where in the hand-off it happened; `open` and `listen` are before any peer is involved. */
export type HandoffPhase = "open" | "listen" | "hello" | "transfer" | "probe" | "commit" | "guard" | "own" | "close";

export interface HandoffErrorDetails {
  readonly phase: HandoffPhase;
  readonly cause?: unknown;
  /** true = the other side owns the listeners and serves; nothing was lost. */
  readonly rolledBack?: boolean;
}

/** Every failure of a hand-off: what happened, in which phase, whether the other side went on, and what to do. */
export class HandoffError extends Error {
  override readonly name = "HandoffError";
  readonly code: HandoffErrorCode;
  /** CamelCase name of the code, for logs and metrics. */
  readonly reason: string;
  readonly phase: HandoffPhase;
  readonly rolledBack: boolean;
  readonly fix: string;

  constructor(code: HandoffErrorCode, message: string, details: HandoffErrorDetails) {
    const { reason, fix } = handoffErrors[code];
    super(`${code} ${reason}: ${message}`, "cause" in details ? { cause: details.cause } : {});
    this.code = code;
    this.reason = reason;
    this.fix = fix;
    this.phase = details.phase;
    this.rolledBack = details.rolledBack ?? false;
  }
}

/** The code for a failed system call: without a free descriptor nothing else is wrong. */
export function codeFor(system: string, otherwise: HandoffErrorCode): HandoffErrorCode {
  return system === "EMFILE" || system === "ENFILE" ? "HOT4006" : otherwise;
}

/** The owner's REFUSE, as an error. */
export function refusal(code: string, reason: string): HandoffError {
  return new HandoffError(code === "version" ? "HOT4004" : "HOT4005", reason, { phase: "hello", rolledBack: true });
}
