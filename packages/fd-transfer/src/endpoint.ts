// SPDX-License-Identifier: Apache-2.0
import type { SocketInfo } from "./native/contract.ts";
import type { OwnedFd } from "./native/owned-fd.ts";
import type { FdItem } from "./protocol/message.ts";

export interface InternetAddress {
  readonly host: string;
  readonly port: number;
}

export interface PathAddress {
  readonly path: string;
}

/** How an item says where its socket is reached. */
export type Reached = Pick<FdItem, "kind" | "domain" | "address" | "port" | "v6only">;

/** Where a socket is reached: how it is bound when nobody passes it on, and how one that is passed on is recognised. */
export interface Endpoint {
  readonly kind: "listener" | "datagram";
  /** Length of the accept queue; 0 for datagrams. */
  readonly backlog: number;
  /** Null for a path. */
  readonly port: number | null;
  /** For messages. */
  readonly where: string;
  /** Throws a NativeError; EADDRINUSE when somebody else has the address. */
  bind(): OwnedFd;
  /** Whether this descriptor, which comes from elsewhere, is a socket of this kind at this address. */
  describes(fd: number): boolean;
  /** From now on this is the socket behind the address. */
  hold(fd: number): void;
  /** Nobody is reached at the address through this socket any more: it was shut down, or its path leads elsewhere. */
  isLost(fd: number): boolean;
  /** Another socket in place of a lost one; null when the same one can listen again. Throws as `bind`. */
  replace(fd: number): OwnedFd | null;
  /** Whether an item of the same key is the socket asked for. */
  matches(item: Reached): boolean;
  /** As clients see it; the kernel's own name of a path is the temporary one. */
  address(info: SocketInfo): InternetAddress | PathAddress;
}
