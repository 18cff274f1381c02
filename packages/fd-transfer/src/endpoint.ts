// SPDX-License-Identifier: Apache-2.0
import type { OwnedFd } from "./native/owned-fd.ts";
import type { FdItem } from "./protocol/message.ts";

export interface InternetAddress {
  readonly host: string;
  readonly port: number;
}

export interface PathAddress {
  readonly path: string;
}

/** Where a socket is reached: how it is bound when nobody passes it on, and how one that is passed on is recognised. */
export interface Endpoint {
  readonly kind: "listener" | "datagram";
  /** Length of the accept queue; 0 for datagrams. */
  readonly backlog: number;
  /** For messages. */
  readonly where: string;
  /** Throws a NativeError; EADDRINUSE when somebody else has the address. */
  bind(): OwnedFd;
  /** Whether an item of the same key is the socket asked for. */
  matches(item: FdItem): boolean;
  /** As clients see it; the kernel's own name of a path is the temporary one. */
  address(fd: number): InternetAddress | PathAddress;
}
