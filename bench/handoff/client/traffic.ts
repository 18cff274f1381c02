// SPDX-License-Identifier: Apache-2.0
import type { Account } from "../accounting/account.ts";

/** Where the server under load listens; 0 = it does not. */
export interface Ports {
  readonly http: number;
  readonly udp: number;
  readonly tls: number;
}

/** How much of each class; 0 = none. */
export interface Amounts {
  /** New connections each second, one GET on each. */
  readonly new: number;
  /** Keep-alive clients that POST 1 KB, with 20 ms of think time. */
  readonly ka: number;
  /** Keep-alive connections with one GET each 2 s. */
  readonly idle: number;
  /** Upgraded connections, a numbered line each 50 ms. */
  readonly echo: number;
  /** Clients that ask for a response of 3 s, again and again. */
  readonly slow: number;
  /** Numbered datagrams each second. */
  readonly udp: number;
  /** TLS connections each second, each with the session of the one before. */
  readonly tls: number;
}

export type ClassName = keyof Amounts;

/** One class of traffic: runs until it is told to stop, and counts. */
export interface Traffic {
  readonly account: Account;
  /** All of its connections have been made and used. */
  readonly warm: boolean;
  /** Begins no more, and resolves when everything begun has ended. */
  stop(): Promise<void>;
}
