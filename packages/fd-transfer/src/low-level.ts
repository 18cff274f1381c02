// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "./native/addon.ts";
import type { Received, SocketInfo } from "./native/contract.ts";

const MAX_BYTES = 1 << 20;

/**
 * Sends bytes and descriptors (SCM_RIGHTS) over a connected Unix socket. The descriptors stay the caller's as well.
 *
 * @param socket Descriptor of a SEQPACKET, DGRAM or STREAM socket.
 * @param fds At most 252.
 * @param data At least one byte: without it a stream would lose the descriptors.
 * @returns how many bytes were sent. 0 when there is no room now (EAGAIN). A STREAM may take a part of them, with all the
 *   descriptors: send the rest without; the other types take all or nothing.
 * @throws NativeError ETOOMANYREFS when too many of this user are on their way, EPIPE, EBADF, EINVAL.
 *
 * @example
 * if (sendFds(socket, [listener], Buffer.from("listener")) === 0) await writable(socket);
 */
export function sendFds(socket: number, fds: readonly number[], data: Uint8Array): number {
  return loadNative().send(socket, data, fds);
}

/**
 * Receives one message with its descriptors, which are close-on-exec and belong to the caller, whatever else is wrong
 * with the message: look at `truncated` and `controlTruncated`.
 *
 * @param maxBytes 1 to 1,048,576; the default is the most.
 * @returns null when there is nothing now; `data` of length 0 at the end.
 */
export function recvFds(socket: number, maxBytes = MAX_BYTES): Received | null {
  return loadNative().recv(socket, maxBytes);
}

/** Another descriptor of the same file or socket, close-on-exec. */
export function dup(fd: number): number {
  return loadNative().dup(fd);
}

/** Family, type, address and SO_COOKIE of a socket. @throws NativeError ENOTSOCK, EBADF */
export function socketInfo(fd: number): SocketInfo {
  return loadNative().socketInfo(fd);
}

/** It accepts connections. False for a listener on which anybody called shutdown(). @throws NativeError ENOTSOCK, EBADF */
export function isListening(fd: number): boolean {
  return loadNative().socketInfo(fd).accepting;
}
