// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "./addon.ts";

/**
 * A descriptor with exactly one owner. `release` gives it away once; `close` is idempotent and does nothing after that.
 *
 * @example
 * using listener = new OwnedFd(native.listenTcp("::", 8080, { backlog: 4096 }));
 * server.listen({ fd: listener.release() }); // from here on the server closes it
 */
export class OwnedFd {
  #fd: number | null;

  constructor(fd: number) {
    if (!Number.isInteger(fd) || fd < 0) throw new RangeError(`A descriptor is an integer ≥ 0, not ${fd}.`);
    this.#fd = fd;
  }

  /** The number, for calls that leave the descriptor with us. */
  get fd(): number {
    if (this.#fd === null) throw new Error("The descriptor was closed or given away.");
    return this.#fd;
  }

  /** False after `close` or `release`. */
  get held(): boolean {
    return this.#fd !== null;
  }

  /** Gives the descriptor away: from now on the caller closes it. */
  release(): number {
    const fd = this.fd;
    this.#fd = null;
    return fd;
  }

  /** Another owner of the same socket or file. */
  dup(): OwnedFd {
    return new OwnedFd(loadNative().dup(this.fd));
  }

  /** Throws EBUSY, and still holds it, while a `Poller` watches it. */
  close(): void {
    if (this.#fd === null) return;
    loadNative().close(this.#fd);
    this.#fd = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
