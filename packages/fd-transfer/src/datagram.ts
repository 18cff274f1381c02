// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:dgram";
import { mustBeOptions, shown } from "./arguments.ts";
import { handleOf, mustBeUnused } from "./datagram-pause.ts";
import type { InternetAddress } from "./endpoint.ts";
import { HandoffError } from "./errors.ts";
import { InternetEndpoint } from "./internet-endpoint.ts";
import { loadNative } from "./native/addon.ts";
import { OwnedFd } from "./native/owned-fd.ts";
import { Slot } from "./slot.ts";

export interface DatagramOptions {
  /** 0 = any free port, or whatever port the inherited socket has. */
  readonly port: number;
  /** A numeric address; default `::` (IPv4 too). */
  readonly host?: string;
  /** Default false. */
  readonly v6only?: boolean;
  /**
   * Room for datagrams that wait to be read, in bytes as the kernel counts them (some 800 for a small one); default
   * 4 MiB. Without CAP_NET_ADMIN the kernel clamps it to net.core.rmem_max.
   */
  readonly receiveBytes?: number;
}

/** A UDP socket that outlives this process if a newer one takes it over. */
export interface Datagram {
  readonly key: string;
  readonly address: InternetAddress;
  /** SO_COOKIE: the same number in every process that holds this very socket. */
  readonly cookie: bigint;
  /** True = taken over from the old process, false = bound here. */
  readonly inherited: boolean;
  /**
   * Gives the datagrams to this socket, which was created and not bound. It receives while the process owns; it can
   * send, also later, as long as it is not closed. A process that goes on after `terminate()` or `close()` of the
   * hand-off has to close it: until then nobody else can bind the address, and whoever starts waits.
   *
   * @throws HandoffError HOT4014 when the socket was bound or closed, or this one has a socket.
   */
  attach(socket: Socket): void;
  /** Gives it up on purpose, here and in a process that stands by. The socket can still send. */
  close(): void;
}

const RECEIVE_BYTES = 4 * 1024 * 1024;

/**
 * The name of a UDP socket and the Node socket that reads from it. The hand-over is sequential: the new process begins
 * to read before the old one stops, and what is not read waits in the queue that both share.
 */
export class DatagramSlot extends Slot implements Datagram {
  #socket: Socket | null = null;
  #open: "no" | "reading" | "paused" = "no";

  constructor(key: string, options: DatagramOptions) {
    mustBeOptions(options, `datagram ${shown(key)}`, "listen");
    const { host = "::", port, v6only = false, receiveBytes = RECEIVE_BYTES } = options;
    super(
      key,
      new InternetEndpoint("datagram", { host, port, v6only, backlog: 0 }, () =>
        loadNative().bindUdp(host, port, { receiveBytes, v6only }),
      ),
    );
  }

  get address(): InternetAddress {
    const address = this.reachedAt;
    return "port" in address ? address : { host: "", port: 0 };
  }

  get attached(): boolean {
    return this.#socket !== null;
  }

  get silent(): boolean {
    return this.accepting && (this.#open !== "reading" || this.#handle === null);
  }

  override get lingers(): boolean {
    return this.#open !== "no" && this.#handle !== null;
  }

  override async closed(): Promise<void> {
    await new Promise((resolve) => this.#socket?.once("close", resolve));
  }

  /** Let go of and owned anew, while Node has the socket: nobody could bind its address again, not even we. */
  override bind(): OwnedFd {
    const handle = this.lingers ? this.#handle : null;
    return handle === null ? super.bind() : new OwnedFd(loadNative().dup(handle.fd));
  }

  /** Null when the application has closed the socket; the event comes later. */
  get #handle(): ReturnType<typeof handleOf> {
    return this.#socket && handleOf(this.#socket);
  }

  attach(socket: Socket): void {
    if (this.#socket !== null) {
      throw new HandoffError("HOT4014", `datagram ${this.key} has a socket already`, { phase: "listen" });
    }
    mustBeUnused(socket, this.key);
    this.#socket = socket;
    if (this.accepting) this.start();
  }

  protected start(): void {
    const handle = this.#handle;
    if (handle === null || !this.bound) return;
    if (this.#open === "no") {
      // Exclusive: the descriptor is ours, whatever node:cluster thinks. Node closes the duplicate.
      this.#socket?.bind({ fd: loadNative().dup(this.fd), exclusive: true });
    } else if (this.#open === "paused") {
      handle.recvStart();
    }
    this.#open = "reading";
  }

  protected stop(): void {
    if (this.#open !== "reading") return;
    this.#handle?.recvStop();
    this.#open = "paused";
  }
}
