// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import type { Server } from "node:net";
import { reasonCode } from "@hot/spec";

/** A port can't be listened on; the message says what to do. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

export interface ListenOptions {
  host: string;
  port: number;
  /** The flag that sets the port, for the message. */
  flag: string;
}

/**
 * Listens, or says clearly why not.
 *
 * @throws {ListenError}
 */
export async function listen(server: Server, { host, port, flag }: ListenOptions): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const { sentence, fix, code: hot } = reasonCode("PortTaken");
    const text =
      code === "EADDRINUSE"
        ? `${host}:${port}: ${sentence} ${fix.replace(/\.$/, "")} with ${flag}. (${hot})`
        : `${host}:${port} can't be listened on: ${message}. Choose another address or port (--host, ${flag}).`;
    throw new ListenError(text, { cause });
  }
}
