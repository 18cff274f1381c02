// SPDX-License-Identifier: Apache-2.0
import type { Api, KubeObject, WatchEvent } from "./api.ts";
import { abortable } from "./abortable.ts";
import type { Clock } from "./clock.ts";
import type { Selection } from "./relist.ts";

/** Neither event nor bookmark for longer than a healthy server leaves a stream silent. */
export class SilentStreamError extends Error {
  override readonly name = "SilentStreamError";
}

export interface WatchSession {
  api: Pick<Api, "watch">;
  selection: Selection;
  resourceVersion: string;
  timeoutSeconds: number;
  silenceMs: number;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * One watch request, until the server ends it, it breaks, or it has been silent for `silenceMs`. Never hangs on a
 * stream whose other end is gone, even when the stream ignores its signal.
 */
export async function watchOnce<T extends KubeObject>(
  session: WatchSession,
  onEvent: (event: WatchEvent<T>) => void,
): Promise<void> {
  const { api, clock, silenceMs, resourceVersion, timeoutSeconds } = session;
  const { resource, ...selection } = session.selection;
  const abort = new AbortController();
  const stop = (): void => abort.abort(session.signal.reason);
  if (session.signal.aborted) return;
  session.signal.addEventListener("abort", stop);
  const isSilent = (): void => abort.abort(new SilentStreamError(`no event or bookmark for ${silenceMs} ms`));
  let silence = clock.after(silenceMs, isSilent);

  const options = { ...selection, resourceVersion, timeoutSeconds, signal: abort.signal };
  const events = api.watch<T>(resource, options)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await abortable(events.next(), abort.signal);
      if (next.done) return;
      silence[Symbol.dispose]();
      silence = clock.after(silenceMs, isSilent);
      onEvent(next.value);
    }
  } finally {
    silence[Symbol.dispose]();
    session.signal.removeEventListener("abort", stop);
    abort.abort();
    // Not awaited: a generator that hangs in its last `next` ends only when that settles.
    events.return?.().catch(() => undefined);
  }
}
