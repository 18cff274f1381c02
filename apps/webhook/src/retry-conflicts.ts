// SPDX-License-Identifier: Apache-2.0
import { ApiError } from "@hot/kube";

/** Reads, decides and writes again while others are faster, five times in all. */
export async function retryConflicts<T>(readAndWrite: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await readAndWrite();
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 409) || attempt === 4) throw error;
    }
  }
}
