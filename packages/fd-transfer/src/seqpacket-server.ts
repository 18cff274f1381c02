// SPDX-License-Identifier: Apache-2.0
import { renameSync, rmSync, statSync } from "node:fs";
import { loadNative } from "./native/addon.ts";
import { OwnedFd } from "./native/owned-fd.ts";
import { Poller, READABLE } from "./native/poller.ts";

const BACKLOG = 128;
const ACCEPTS_AT_ONCE = 64;
const PAUSE_MS = 50;

/**
 * A listening SEQPACKET socket that appears under its path in one step: bound under a temporary name, then renamed.
 * Whoever looks sees the socket before or this one, never none. It is not unlinked by `close` (R12).
 */
export class SeqpacketServer {
  readonly path: string;
  readonly #fd: OwnedFd;
  readonly #poller: Poller;
  readonly #inode: number;
  readonly #onConnection: (fd: number) => void;
  #pause: NodeJS.Timeout | undefined;

  /** `temporary` is replaced if it exists. `onConnection` owns the descriptor it gets. */
  constructor(path: string, temporary: string, mode: number, onConnection: (fd: number) => void) {
    this.path = path;
    rmSync(temporary, { force: true });
    this.#fd = new OwnedFd(loadNative().listenSeqpacket(temporary, mode, BACKLOG));
    this.#inode = statSync(temporary).ino;
    renameSync(temporary, path);
    this.#onConnection = onConnection;
    this.#poller = new Poller(this.#fd.fd, () => this.#accept());
    this.#poller.start(READABLE);
  }

  #accept(): void {
    for (let count = 0; count < ACCEPTS_AT_ONCE && this.#fd.held; count++) {
      let fd: number | null;
      try {
        fd = loadNative().accept(this.#fd.fd);
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

  /** False when somebody removed or replaced the path. */
  isPublished(): boolean {
    return statSync(this.path, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  close(): void {
    clearTimeout(this.#pause);
    this.#poller.close();
    this.#fd.close();
  }
}
