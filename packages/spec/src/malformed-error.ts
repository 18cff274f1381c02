// SPDX-License-Identifier: Apache-2.0

/** An object has not the shape of a SidecarSet, so that something can't be done with it. Validation names every fault. */
export class MalformedError extends Error {
  override readonly name: string = "MalformedError";
  readonly code = "HOT3001";
  /** Path of the field: `spec.containers[0].ports`. */
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`${path} ${problem}. Correct the value. (HOT3001)`);
    this.path = path;
  }
}
