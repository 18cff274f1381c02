// SPDX-License-Identifier: Apache-2.0

/** The API server could not be started; nothing is left running. The message says why and what to do. */
export class StartError extends Error {
  override name = "StartError";
  readonly code: "LOCAL_ADDRESS" | "LOCAL_FOLDER";

  constructor(code: StartError["code"], what: string, fix: string, cause: unknown) {
    super(`${what}: ${cause instanceof Error ? cause.message : String(cause)}; ${fix}`, { cause });
    this.code = code;
  }
}
