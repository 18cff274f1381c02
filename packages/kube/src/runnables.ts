// SPDX-License-Identifier: Apache-2.0

/** A part of a program. */
export interface Runnable {
  /** Names it in messages. */
  name: string;
  /** Runs until the signal is aborted. Ending or failing before that is a failure of the whole. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when those that come after may start; default: at once. */
  ready?(signal: AbortSignal): Promise<unknown>;
}

/** A part ended although nobody had asked it to. */
export class RunnableError extends Error {
  override readonly name = "RunnableError";
  readonly code = "KUBE_RUNNABLE";

  constructor(runnable: string, cause?: unknown) {
    const why = cause instanceof Error ? cause.message : "it ended by itself";
    super(`${runnable} has stopped: ${why}. Everything was stopped; start the program again.`, { cause });
  }
}

/**
 * Starts parts one after the other, each when the one before is ready (caches before workers). Once the signal is
 * aborted, or one part has failed, they are stopped in reverse order, each after the one started later has ended.
 * Resolves when all have ended after an abort.
 *
 * @throws RunnableError the first failure; later ones follow from stopping.
 */
export async function runAll(runnables: readonly Runnable[], signal: AbortSignal): Promise<void> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();

  let failure: RunnableError | undefined;
  const fail = (name: string, cause?: unknown): void => {
    if (!stopping.signal.aborted) failure = new RunnableError(name, cause);
    stop();
  };
  const started: { abort: AbortController; ended: Promise<void> }[] = [];
  const stopped = new Promise<void>((resolve) => {
    if (stopping.signal.aborted) resolve();
    stopping.signal.addEventListener("abort", () => resolve());
  });

  for (const runnable of runnables) {
    if (stopping.signal.aborted) break;
    const abort = new AbortController();
    const ended = begin(() => runnable.run(abort.signal)).then(
      () => fail(runnable.name),
      (error: unknown) => fail(runnable.name, error),
    );
    started.push({ abort, ended });
    const ready = begin(async () => runnable.ready?.(stopping.signal));
    ready.catch((error: unknown) => fail(runnable.name, error));
    await Promise.race([ready, stopped]).catch(() => undefined);
  }

  await stopped;
  for (const { abort, ended } of started.reverse()) {
    abort.abort();
    await ended;
  }
  signal.removeEventListener("abort", stop);
  if (failure) throw failure;
}

/** Also what `fn` throws at once becomes a rejection. */
async function begin<T>(fn: () => Promise<T>): Promise<T> {
  return fn();
}
