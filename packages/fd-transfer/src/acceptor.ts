// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "./native/addon.ts";
import type { OwnedFd } from "./native/owned-fd.ts";
import { Poller, READABLE } from "./native/poller.ts";

const ACCEPTS_AT_ONCE = 64;
const PAUSE_MS = 50;

/** Accepts the connections of a listening Unix socket, until it is closed. The descriptor stays the caller's. */
export class Acceptor {
  readonly #listener: OwnedFd;
  readonly #onConnection: (fd: number) => void;
  readonly #poller: Poller;
  #pause: NodeJS.Timeout | undefined;

  /** `onConnection` owns the descriptor that it gets. */
  constructor(listener: OwnedFd, onConnection: (fd: number) => void) {
    this.#listener = listener;
    this.#onConnection = onConnection;
    this.#poller = new Poller(listener.fd, () => this.#accept());
    this.#poller.start(READABLE);
  }

  /** To be called before the listener is closed. */
  close(): void {
    clearTimeout(this.#pause);
    this.#poller.close();
  }

  #accept(): void {
    for (let count = 0; count < ACCEPTS_AT_ONCE && this.#listener.held; count++) {
      let fd: number | null;
      try {
        fd = loadNative().accept(this.#listener.fd);
      } catch {
        // No descriptor is free (EMFILE), or the peer has gone: it must not spin until then.
        this.#poller.stop();
        this.#pause = setTimeout(() => this.#poller.start(READABLE), PAUSE_MS);
        return;
      }
      if (fd === null) return;
      this.#onConnection(fd);
    }
  }
}
