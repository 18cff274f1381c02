// SPDX-License-Identifier: Apache-2.0
import { renameSync, rmSync, statSync } from "node:fs";
import { Acceptor } from "./acceptor.ts";
import { loadNative } from "./native/addon.ts";
import { OwnedFd } from "./native/owned-fd.ts";

const BACKLOG = 128;

/**
 * A listening SEQPACKET socket that appears under its path in one step: bound under a temporary name, then renamed.
 * Whoever looks sees the socket before or this one, never none. It is not unlinked by `close` (R12).
 */
export class SeqpacketServer {
  readonly path: string;
  readonly #fd: OwnedFd;
  readonly #acceptor: Acceptor;
  readonly #inode: number;

  /** `temporary` is replaced if it exists. `onConnection` owns the descriptor it gets. Throws and leaves nothing behind. */
  constructor(path: string, temporary: string, mode: number, onConnection: (fd: number) => void) {
    this.path = path;
    rmSync(temporary, { force: true });
    this.#fd = new OwnedFd(loadNative().listenSeqpacket(temporary, mode, BACKLOG));
    try {
      this.#inode = statSync(temporary).ino;
      renameSync(temporary, path);
      this.#acceptor = new Acceptor(this.#fd, onConnection);
    } catch (error) {
      this.#fd.close();
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** False when somebody removed or replaced the path. */
  isPublished(): boolean {
    return statSync(this.path, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  close(): void {
    this.#acceptor.close();
    this.#fd.close();
  }
}
