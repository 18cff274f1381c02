// SPDX-License-Identifier: Apache-2.0
import { rmSync, statSync } from "node:fs";
import { loadNative } from "../native/addon.ts";
import { OwnedFd } from "../native/owned-fd.ts";
import { Poller, READABLE } from "../native/poller.ts";
import { PathEndpoint } from "../path-endpoint.ts";

const BACKLOG = 16;
const PAUSE_MS = 50;

/** A Unix stream socket on a path, put in place atomically; a path that somebody else has replaced since is left alone. */
export class Door {
  readonly path: string;
  readonly #fd: OwnedFd;
  readonly #inode: number;
  readonly #poller: Poller;
  readonly #onConnection: (fd: OwnedFd) => void;
  #pause: NodeJS.Timeout | undefined;

  /**
   * `onConnection` owns the descriptor that it gets.
   *
   * @throws NativeError EADDRINUSE when somebody listens there · HandoffError HOT4014 for what is no path of a socket
   */
  constructor(path: string, mode: number, onConnection: (fd: OwnedFd) => void) {
    this.path = path;
    this.#fd = new PathEndpoint({ path, mode, backlog: BACKLOG }).bind();
    this.#inode = statSync(path).ino;
    this.#onConnection = onConnection;
    this.#poller = new Poller(this.#fd.fd, () => this.#accept());
    this.#poller.start(READABLE);
  }

  /** Idempotent. */
  close(): void {
    if (!this.#fd.held) return;
    clearTimeout(this.#pause);
    this.#poller.close();
    if (statSync(this.path, { throwIfNoEntry: false })?.ino === this.#inode) rmSync(this.path, { force: true });
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #accept(): void {
    let fd: number | null;
    try {
      fd = loadNative().accept(this.#fd.fd);
    } catch {
      // No descriptor is free (EMFILE): it must not spin until then.
      this.#poller.stop();
      this.#pause = setTimeout(() => this.#poller.start(READABLE), PAUSE_MS);
      return;
    }
    if (fd !== null) this.#onConnection(new OwnedFd(fd));
  }
}
