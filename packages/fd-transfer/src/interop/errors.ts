// SPDX-License-Identifier: Apache-2.0

/** All codes of the interoperation with other programs; `docs/errors.md` is made from it. */
export const interopErrors = {
  HOT4030: {
    reason: "ProgramUnreachable",
    fix: "Start the other program, and give its socket's path and a user that may connect to it.",
  },
  HOT4031: {
    reason: "ProgramViolation",
    fix: "See that the socket belongs to the program meant and that its version is a tested one; nothing was kept.",
  },
  HOT4032: {
    reason: "NothingExposed",
    fix: "Add `expose-fd listeners` to the line `stats socket` of HAProxy, and connect to that socket.",
  },
  HOT4033: {
    reason: "SocketNotFound",
    fix: "Ask for one of the sockets that the message lists, with so many properties that only one fits.",
  },
  HOT4034: {
    reason: "EnvironmentUnusable",
    fix: "Start the process with the descriptors that its environment names open and passed on, or without the variables.",
  },
  HOT4035: {
    reason: "DescriptorsCutOff",
    fix: "Raise RLIMIT_NOFILE, or let the security policy (SELinux, AppArmor) pass descriptors between the two sides.",
  },
  HOT4036: { reason: "ProgramSilent", fix: "See why the other program does not answer; nothing was kept. Try again." },
  HOT4037: { reason: "ArgumentInvalid", fix: "Correct the argument that the message names." },
} as const;

export type InteropErrorCode = keyof typeof interopErrors;

/** What failed between this process and another program, and what to do. Every descriptor that had come is closed. */
export class InteropError extends Error {
  override readonly name = "InteropError";
  readonly code: InteropErrorCode;
  /** CamelCase name of the code, for logs and metrics. */
  readonly reason: string;
  readonly fix: string;

  constructor(code: InteropErrorCode, message: string, cause?: unknown) {
    const { reason, fix } = interopErrors[code];
    super(`${code} ${reason}: ${message}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.reason = reason;
    this.fix = fix;
  }
}
