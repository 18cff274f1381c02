// SPDX-License-Identifier: Apache-2.0
import type { Server } from "node:net";
import { Server as TlsServer } from "node:tls";

const KEY_BYTES = 48;
const NONE = new Uint8Array();

/** The keys that a TLS server seals session tickets with: with those of the old process its clients can resume. */
export class TicketKeys {
  #server: TlsServer | null = null;
  #inherited: Uint8Array = NONE;

  attach(server: Server): void {
    if (!(server instanceof TlsServer)) return;
    this.#server = server;
    this.#apply();
  }

  /** Empty without a TLS server. */
  export(): Uint8Array {
    return this.#server === null ? this.#inherited : new Uint8Array(this.#server.getTicketKeys());
  }

  import(keys: Uint8Array): void {
    this.#inherited = keys;
    this.#apply();
  }

  #apply(): void {
    const server = this.#server;
    if (server === null || this.#inherited.byteLength !== KEY_BYTES) return;
    // Keys that the application has chosen itself may be meant to differ, or be shared with other machines.
    if (Reflect.get(server, "ticketKeys") !== undefined) return;
    server.setTicketKeys(Buffer.from(this.#inherited));
  }
}
