// SPDX-License-Identifier: Apache-2.0

/** A promise with its two ends in hand. The first call counts. A rejection that nobody waits for is no error. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly settled: "no" | "resolved" | "rejected";
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T = void>(): Deferred<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  promise.catch(() => undefined);
  let settled: Deferred<T>["settled"] = "no";
  return {
    promise,
    get settled() {
      return settled;
    },
    resolve(value) {
      if (settled === "no") settled = "resolved";
      resolve(value);
    },
    reject(error) {
      if (settled === "no") settled = "rejected";
      reject(error);
    },
  };
}
