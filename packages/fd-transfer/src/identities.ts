// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "./native/addon.ts";
import type { OwnedFd } from "./native/owned-fd.ts";

const KINDS = { stream: 1n, datagram: 2n, listener: 0x101n };

/** False after anybody's shutdown() of a TCP listener. */
export function listens(fd: number): boolean {
  return loadNative().identify([fd])[1] === KINDS.listener;
}

/** Which sockets the descriptors of one message are: asked of the kernel, once for all of them. */
export class Identities {
  readonly #known: BigUint64Array;

  constructor(fds: readonly OwnedFd[]) {
    this.#known = loadNative().identify(Int32Array.from(fds, ({ fd }) => fd));
  }

  /** SO_COOKIE of the descriptor at this place; 0 when it is no socket. */
  cookie(index: number): bigint {
    return this.#known[2 * index] ?? 0n;
  }

  /** The descriptor at this place is the socket with this SO_COOKIE, and of this kind. */
  is(index: number, kind: keyof typeof KINDS, cookie: bigint): boolean {
    return this.cookie(index) === cookie && this.#known[2 * index + 1] === KINDS[kind];
  }
}
