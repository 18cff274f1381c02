// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "../native/addon.ts";
import { NativeError } from "../native/native-error.ts";
import { OwnedFd } from "../native/owned-fd.ts";
import { DISCONNECT, Poller, READABLE, WRITABLE } from "../native/poller.ts";
import { InteropError } from "./errors.ts";

const READ_BYTES = 65_536;

/** What has come in one read; descriptors belong to the receiver. */
export interface Arrival {
  readonly bytes: Buffer;
  readonly fds: OwnedFd[];
}

/**
 * One short exchange over a Unix socket: bytes, descriptors, and one deadline for all of it.
 * Every method rejects with an InteropError after the deadline or `close`.
 */
export class Channel {
  readonly #fd: OwnedFd;
  readonly #poller: Poller;
  readonly #timer: NodeJS.Timeout;
  #wake: (() => void) | null = null;
  #late = false;
  #reset = false;

  /** Owns the descriptor. */
  constructor(fd: OwnedFd, deadlineMs: number) {
    this.#fd = fd;
    this.#poller = new Poller(fd.fd, () => this.#wake?.());
    this.#timer = setTimeout(() => {
      this.#late = true;
      this.#wake?.();
    }, deadlineMs);
  }

  /** @throws InteropError HOT4030 */
  static connect(path: string, deadlineMs: number, type: "stream" | "datagram" = "stream"): Channel {
    try {
      return new Channel(new OwnedFd(loadNative().connectUnix(path, type)), deadlineMs);
    } catch (cause) {
      throw new InteropError(
        "HOT4030",
        `${path.replace("\0", "@")} (${cause instanceof NativeError ? cause.code : "unusable"})`,
        cause,
      );
    }
  }

  /** Null at the end, also at a {@link reset}. */
  async receive(): Promise<Arrival | null> {
    for (;;) {
      this.#mustBeInTime();
      const received = this.#read();
      if (received === null) {
        await this.#until(READABLE | DISCONNECT);
        continue;
      }
      const fds = received.fds.map((fd) => new OwnedFd(fd));
      if (received.controlTruncated) {
        for (const fd of fds) fd.close();
        throw new InteropError("HOT4035", "the kernel has dropped a part of the descriptors that were sent");
      }
      return received.data.length === 0 ? null : { bytes: received.data, fds };
    }
  }

  /**
   * `bytes` at most 2 KiB: so much goes as a whole or not at all, whatever the buffer of the socket is. When the other
   * side has closed, this is no error: it may have said before what it wanted, and `receive` tells of the end.
   */
  async send(bytes: Uint8Array, fds: readonly number[] = []): Promise<void> {
    for (;;) {
      this.#mustBeInTime();
      if (this.#write(bytes, fds)) return;
      await this.#until(WRITABLE | DISCONNECT);
    }
  }

  /** The other side has ended before it had read everything that was sent to it. */
  get reset(): boolean {
    return this.#reset;
  }

  /** @throws InteropError HOT4031 unless the other side is of this user or root. */
  mustBeOurs(): void {
    const { uid } = loadNative().peerCredentials(this.#fd.fd);
    if (uid === 0 || uid === process.geteuid?.()) return;
    throw new InteropError("HOT4031", `the other side is of user ${uid}`);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#poller.close();
    this.#fd.close();
    this.#wake?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #read(): ReturnType<ReturnType<typeof loadNative>["recv"]> {
    try {
      return loadNative().recv(this.#fd.fd, READ_BYTES);
    } catch (error) {
      if (!isEnd(error)) throw error;
      this.#reset = true;
      return { data: Buffer.alloc(0), fds: [], truncated: false, controlTruncated: false, cred: null };
    }
  }

  #write(bytes: Uint8Array, fds: readonly number[]): boolean {
    try {
      return loadNative().send(this.#fd.fd, bytes, fds) > 0;
    } catch (error) {
      if (!isEnd(error)) throw error;
      return true;
    }
  }

  async #until(events: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#poller.start(events);
    });
    this.#wake = null;
    this.#poller.stop();
  }

  #mustBeInTime(): void {
    if (!this.#fd.held) throw new InteropError("HOT4036", "the exchange was ended on this side");
    if (this.#late) throw new InteropError("HOT4036", "the other side took too long");
  }
}

function isEnd(error: unknown): boolean {
  return error instanceof NativeError && (error.code === "EPIPE" || error.code === "ECONNRESET");
}
