// SPDX-License-Identifier: Apache-2.0

/**
 * The promise's outcome, or a rejection with the signal's reason as soon as it is aborted. What the promise stands for
 * goes on; nobody hears of its outcome any more.
 *
 * @example
 * await abortable(api.get(RESOURCES.secrets, name, { namespace }), signal);
 */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined);
    throw signal.reason;
  }
  const aborted = Promise.withResolvers<never>();
  const stop = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
