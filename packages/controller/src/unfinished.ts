// SPDX-License-Identifier: Apache-2.0

/** The plan could not be carried out as a whole; the rest follows when it is made again. */
export class UnfinishedError extends Error {
  override readonly name = "UnfinishedError";
}
