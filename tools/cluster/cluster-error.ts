// SPDX-License-Identifier: Apache-2.0

/** Why a test cluster can't be had: what failed, why, and what to do about it. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";

  constructor(what: string, why: string, fix: string) {
    super(`${what}\n  why: ${why}\n  fix: ${fix}`);
  }
}
