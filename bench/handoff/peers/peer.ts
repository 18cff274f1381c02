// SPDX-License-Identifier: Apache-2.0
import type { Ports } from "../client/traffic.ts";

/** What one upgrade told about itself. */
export interface Upgraded {
  /** From "the application is ready" to "the new process owns", where a peer has such a thing. */
  readonly committedMs?: number;
  /** Of that, the application's own probe of itself. */
  readonly probeMs?: number;
  /** Processor time of the new process for all of that. */
  readonly committedCpuMs?: number;
}

/** A server under load that can be upgraded. */
export interface Running extends AsyncDisposable {
  /** A new process takes over; resolves when it serves and the old one has been told to stop. */
  upgrade(): Promise<Upgraded>;
  /** How many descriptors the serving process has, without any load and when all before it have ended. */
  descriptors?(): Promise<number>;
}

export interface Peer {
  readonly name: string;
  readonly title: string;
  /** Whether it can serve these too. */
  readonly serves: readonly ("udp" | "tls")[];
  /** Why it cannot be measured here, or null. */
  absent(): string | null;
  /** @param drainMs So long a process that has been told to stop may go on with its connections. */
  start(ports: Ports, drainMs: number): Promise<Running>;
}
