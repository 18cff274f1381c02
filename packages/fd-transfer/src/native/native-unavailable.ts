// SPDX-License-Identifier: Apache-2.0

/** The native part cannot be loaded: wrong platform, not built, or built for something else. */
export class NativeUnavailable extends Error {
  override readonly name = "NativeUnavailable";
  readonly code = "HOT4090";
  /** What to do about it. */
  readonly fix: string;

  constructor(message: string, fix: string, cause?: unknown) {
    super(`HOT4090 NativeUnavailable: ${message} ${fix}`, cause === undefined ? {} : { cause });
    this.fix = fix;
  }
}
