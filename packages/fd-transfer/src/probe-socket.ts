// SPDX-License-Identifier: Apache-2.0
import { rmSync } from "node:fs";
import { join } from "node:path";
import { codeFor, HandoffError } from "./errors.ts";
import { loadNative } from "./native/addon.ts";
import { SeqpacketServer } from "./seqpacket-server.ts";

/** `ok` is the receipt; `sentence` is for people. */
export interface ProbeAnswer {
  readonly ok: boolean;
  readonly sentence: string;
}

/**
 * Serves `<dir>/probe.<version>.sock`: whoever connects gets one message, `+` or `-` and a sentence in UTF-8, and the
 * connection is closed. It is answered by this very process, which a TCP probe in a shared network cannot promise.
 */
export class ProbeSocket {
  readonly #server: SeqpacketServer;

  /** @throws HandoffError HOT4006 without a free descriptor, HOT4001 when the directory does not allow it. */
  constructor(dir: string, version: bigint, mode: number, answer: () => ProbeAnswer) {
    const path = join(dir, `probe.${version}.sock`);
    this.#server = serve(path, mode, (fd) => {
      const native = loadNative();
      try {
        const { ok, sentence } = answer();
        native.send(fd, Buffer.from(`${ok ? "+" : "-"}${sentence}`), []);
      } catch {
        // The asker has gone; it will ask again.
      } finally {
        native.close(fd);
      }
    });
  }

  close(): void {
    if (this.#server.isPublished()) rmSync(this.#server.path, { force: true });
    this.#server.close();
  }
}

function serve(path: string, mode: number, onConnection: (fd: number) => void): SeqpacketServer {
  try {
    return new SeqpacketServer(path, `${path}.${process.pid}`, mode, onConnection);
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    throw new HandoffError(codeFor(code, "HOT4001"), `${path} cannot be made (${code})`, { phase: "open", cause });
  }
}
