// SPDX-License-Identifier: Apache-2.0
import { rmSync, statSync } from "node:fs";
import { Acceptor } from "../acceptor.ts";
import { OwnedFd } from "../native/owned-fd.ts";
import { PathEndpoint } from "../path-endpoint.ts";

const BACKLOG = 16;

/** A Unix stream socket on a path, put in place atomically; a path that somebody else has replaced since is left alone. */
export class Door {
  readonly path: string;
  readonly #fd: OwnedFd;
  readonly #inode: number;
  readonly #acceptor: Acceptor;

  /**
   * `onConnection` owns the descriptor that it gets.
   *
   * @throws NativeError EADDRINUSE when somebody listens there · HandoffError HOT4014 for what is no path of a socket
   */
  constructor(path: string, mode: number, onConnection: (fd: OwnedFd) => void) {
    this.path = path;
    this.#fd = new PathEndpoint({ path, mode, backlog: BACKLOG }).bind();
    this.#inode = statSync(path).ino;
    this.#acceptor = new Acceptor(this.#fd, (fd) => onConnection(new OwnedFd(fd)));
  }

  /** Idempotent. */
  close(): void {
    if (!this.#fd.held) return;
    this.#acceptor.close();
    if (statSync(this.path, { throwIfNoEntry: false })?.ino === this.#inode) rmSync(this.path, { force: true });
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
