// SPDX-License-Identifier: Apache-2.0
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { codeFor, HandoffError } from "./errors.ts";
import { loadNative } from "./native/addon.ts";
import { NativeError } from "./native/native-error.ts";
import { SeqpacketServer } from "./seqpacket-server.ts";

const TEMPORARY = /^owner\.(\d+)\.tmp$/;

/** `<dir>/owner.sock`, held by the confirmed owner only (R12). */
export class OwnerSocket {
  readonly #dir: string;
  readonly #mode: number;
  readonly #onConnection: (fd: number) => void;
  #server: SeqpacketServer | null = null;
  /** Null = not wanted. */
  #epoch: bigint | null = null;

  constructor(dir: string, mode: number, onConnection: (fd: number) => void) {
    this.#dir = dir;
    this.#mode = mode;
    this.#onConnection = onConnection;
  }

  /** Wanted from now on; throws when it fails, and {@link repair} tries again. */
  publish(epoch: bigint): void {
    this.#epoch = epoch;
    const before = this.#server;
    const temporary = join(this.#dir, `owner.${epoch}.tmp`);
    this.#server = new SeqpacketServer(join(this.#dir, "owner.sock"), temporary, this.#mode, this.#onConnection);
    before?.close();
    for (const name of readdirSync(this.#dir)) {
      const of = TEMPORARY.exec(name)?.[1];
      if (of !== undefined && BigInt(of) < epoch) rmSync(join(this.#dir, name), { force: true });
    }
  }

  /** Publishes again when it failed before, or when somebody removed or replaced the path. */
  repair(): void {
    if (this.#epoch !== null && this.#server?.isPublished() !== true) this.publish(this.#epoch);
  }

  /** Stops answering. The path stays: it is the next owner's, or stale, which a cold start understands. */
  close(): void {
    this.#epoch = null;
    this.#server?.close();
    this.#server = null;
  }
}

/**
 * A connection to the owner; null when there is none (nobody ever was, or it died); "busy" when its queue is full.
 *
 * @throws HandoffError HOT4002 when there may be an owner that this process may not reach: never taken for "no owner".
 * HOT4006 when it has no descriptor to reach it with.
 */
export function connectToOwner(dir: string): number | "busy" | null {
  const path = join(dir, "owner.sock");
  try {
    return loadNative().connectSeqpacket(path);
  } catch (cause) {
    const code = cause instanceof NativeError ? cause.code : "";
    if (code === "ENOENT" || code === "ECONNREFUSED") return null;
    if (code === "EAGAIN") return "busy";
    const uid = process.geteuid?.() ?? -1;
    const what = `${path} cannot be reached by user ${uid} (${code})`;
    throw new HandoffError(codeFor(code, "HOT4002"), what, { phase: "hello", cause });
  }
}
