// SPDX-License-Identifier: Apache-2.0
import { loadAddon } from "./addon.ts";
import type { PollHandle } from "./contract.ts";

export const READABLE = 1;
export const WRITABLE = 2;
/** The peer closed or the socket has an error. Read on until `recv` gives end of stream, or null and nothing more. */
export const DISCONNECT = 4;

/**
 * Watches one descriptor on the event loop of this thread, level-triggered. Keeps the process alive while started,
 * unless `unref` was called. Does not own the descriptor: `stop` or `close` must come before the descriptor is closed,
 * and one descriptor has one Poller (EEXIST).
 *
 * @example
 * const poller = new Poller(fd, (events) => { if (events & READABLE) readAll(); });
 * poller.start(READABLE | DISCONNECT);
 */
export class Poller {
  readonly #handle: PollHandle;

  constructor(fd: number, onEvent: (events: number) => void) {
    this.#handle = loadAddon().createPoller(fd, onEvent);
  }

  /** Watches for these events from now on, instead of earlier ones. */
  start(events: number): void {
    this.#handle.start(events);
  }

  stop(): void {
    this.#handle.stop();
  }

  /** Final and idempotent. */
  close(): void {
    this.#handle.close();
  }

  ref(): void {
    this.#handle.ref();
  }

  unref(): void {
    this.#handle.unref();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
