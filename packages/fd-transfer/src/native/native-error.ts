// SPDX-License-Identifier: Apache-2.0

/** A system call that failed, or an argument that it would not take. */
export class NativeError extends Error {
  override readonly name = "NativeError";
  /** Name of the errno, such as `"EAGAIN"`. */
  readonly code: string;
  /** Positive, as the kernel has it. */
  readonly errno: number;
  readonly syscall: string;

  constructor(code: string, errno: number, syscall: string, detail: string) {
    super(`${syscall}: ${code}, ${detail}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}
