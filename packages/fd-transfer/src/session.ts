// SPDX-License-Identifier: Apache-2.0
import { HandoffError } from "./errors.ts";
import { loadNative } from "./native/addon.ts";
import type { Descriptors } from "./native/contract.ts";
import { NativeError } from "./native/native-error.ts";
import { OwnedFd } from "./native/owned-fd.ts";
import { DISCONNECT, Poller, READABLE, WRITABLE } from "./native/poller.ts";
import { MAX_FRAME_BYTES } from "./protocol/frame.ts";
import type { Message } from "./protocol/message.ts";
import { decodeMessage, encodeBody, encodeMessage } from "./protocol/message.ts";
import { violation } from "./protocol/violation.ts";

const FRAMES_AT_ONCE = 4096;
const RETRY_MS = 10;
/** The messages that come with descriptors. */
const CARRIES: ReadonlySet<Message["type"]> = new Set(["FDS", "CONN"]);

/** Called in the order of arrival, never from within `send`. The receiver of `fds` owns them. */
export interface SessionHandler {
  message(message: Message, fds: OwnedFd[]): void;
  /** After everything that had been sent. Final. */
  eof(): void;
  /** The peer broke the protocol. Final. */
  broken(error: HandoffError): void;
}

interface Outgoing {
  readonly bytes: Uint8Array;
  readonly fds: Descriptors;
  /** Called once, when the descriptors are not needed any more. */
  readonly done: () => void;
}

interface Incoming {
  readonly message: Message;
  readonly fds: OwnedFd[];
}

/**
 * One SEQPACKET connection that carries messages and descriptors.
 * What always holds: nothing is acted on before everything that had arrived is read (R8), and a descriptor that
 * arrived is either given to the handler or closed.
 */
export class Session {
  readonly #fd: OwnedFd;
  readonly #poller: Poller;
  /** Who gets what arrives from now on. */
  handler: SessionHandler;
  readonly #queue: Outgoing[] = [];
  #ahead: { readonly message: Message; readonly body: Uint8Array } | null = null;
  #sent = 0;
  #received = 0;
  #reading = false;
  #eof = false;
  #closed = false;
  #unwritable = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(fd: number, handler: SessionHandler) {
    this.#fd = new OwnedFd(fd);
    this.handler = handler;
    this.#poller = new Poller(fd, (events) => {
      if (events & WRITABLE) this.#flush();
      if (events & (READABLE | DISCONNECT)) this.readAll();
    });
    this.#poller.start(READABLE | DISCONNECT);
  }

  /** The end of the connection is known, though messages before it may not have been handled yet. */
  get eof(): boolean {
    return this.#eof;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** In order; waits for room by itself. The descriptors stay the caller's and must stay open until `done`. */
  send(message: Message, fds: Descriptors = [], done: () => void = () => undefined): void {
    if (this.#closed || this.#unwritable) return done();
    const body = this.#ahead?.message === message ? this.#ahead.body : encodeBody(message);
    this.#ahead = null;
    this.#queue.push({ bytes: encodeMessage(message, this.#sent, body), fds, done });
    this.#sent = (this.#sent + 1) & 0xffff;
    if (this.#queue.length === 1) this.#flush();
  }

  /** This very message is sent next, as soon as the peer has answered: its bytes are made while the peer is busy. */
  prepare(message: Message): void {
    this.#ahead = { message, body: encodeBody(message) };
  }

  /** Reads until there is nothing, then handles it in order. Call it before acting on a timer (R8). */
  readAll(): void {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    const incoming: Incoming[] = [];
    let failure: HandoffError | null = null;
    try {
      failure = this.#collect(incoming);
    } finally {
      this.#reading = false;
    }
    for (const { message, fds } of incoming) {
      if (this.#closed) for (const fd of fds) fd.close();
      else this.handler.message(message, fds);
    }
    if (this.#closed) return;
    if (failure !== null) {
      this.#poller.stop();
      this.handler.broken(failure);
    } else if (this.#eof) {
      this.#poller.stop();
      this.handler.eof();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#drop();
    this.#poller.close();
    this.#fd.close();
  }

  #collect(incoming: Incoming[]): HandoffError | null {
    for (let count = 0; count < FRAMES_AT_ONCE; count++) {
      try {
        const one = this.#receive();
        if (one === null) return null;
        incoming.push(one);
      } catch (error) {
        // ECONNRESET comes before queued messages: it means "read on" (R8).
        if (error instanceof NativeError && (error.code === "ECONNRESET" || error.code === "EPIPE")) continue;
        return error instanceof HandoffError ? error : violation("the connection cannot be read", error);
      }
    }
    return violation("the peer floods the connection");
  }

  #receive(): Incoming | null {
    const received = loadNative().recv(this.#fd.fd, MAX_FRAME_BYTES);
    if (received === null) return null;
    const fds = received.fds.map((fd) => new OwnedFd(fd));
    try {
      if (received.data.length === 0) {
        // Zero-byte messages are forbidden, so this is the end; descriptors that came with it are closed.
        for (const fd of fds) fd.close();
        this.#eof = true;
        return null;
      }
      if (received.truncated) throw violation("a message is over the limit");
      if (received.controlTruncated) {
        throw new HandoffError("HOT4006", "descriptors were cut off while being received", { phase: "transfer" });
      }
      const { message, seq } = decodeMessage(received.data);
      if (seq !== this.#received) throw violation(`message ${seq} came instead of ${this.#received}`);
      this.#received = (this.#received + 1) & 0xffff;
      if (!CARRIES.has(message.type) && fds.length > 0) throw violation(`${message.type} carries descriptors`);
      return { message, fds };
    } catch (error) {
      for (const fd of fds) fd.close();
      throw error;
    }
  }

  #flush(): void {
    while (!this.#closed) {
      const next = this.#queue[0];
      if (next === undefined) break;
      try {
        if (loadNative().send(this.#fd.fd, next.bytes, next.fds) === 0) {
          this.#poller.start(READABLE | WRITABLE | DISCONNECT);
          return;
        }
        this.#queue.shift();
        next.done();
      } catch (error) {
        this.#sendFailed(error);
        return;
      }
    }
    if (!this.#closed && !this.#eof) this.#poller.start(READABLE | DISCONNECT);
  }

  #drop(): void {
    for (const { done } of this.#queue.splice(0)) done();
  }

  #sendFailed(error: unknown): void {
    // Too many descriptors of this user are in flight (K9): they become fewer by themselves.
    if (error instanceof NativeError && error.code === "ETOOMANYREFS") {
      this.#retry = setTimeout(() => this.#flush(), RETRY_MS);
      return;
    }
    // Whatever is wrong with writing, what the peer has said before counts: read on, the end comes from there.
    this.#unwritable = true;
    this.#drop();
    this.#retry = setTimeout(() => this.readAll(), 0);
  }
}
