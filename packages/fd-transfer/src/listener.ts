// SPDX-License-Identifier: Apache-2.0
import { Server, Socket } from "node:net";
import { mustBeOptions, shown } from "./arguments.ts";
import { acceptSeveral } from "./accept-handles.ts";
import type { Endpoint, InternetAddress, PathAddress } from "./endpoint.ts";
import { HandoffError } from "./errors.ts";
import { InternetEndpoint } from "./internet-endpoint.ts";
import { loadNative } from "./native/addon.ts";
import { OwnedFd } from "./native/owned-fd.ts";
import { PathEndpoint } from "./path-endpoint.ts";
import { connectPast } from "./private-connection.ts";
import type { FdItem } from "./protocol/message.ts";
import { Slot } from "./slot.ts";
import { TicketKeys } from "./ticket-keys.ts";

export interface TcpListenOptions {
  /** 0 = any free port, or whatever port the inherited listener has. */
  readonly port: number;
  /** A numeric address; default `::` (IPv4 too). */
  readonly host?: string;
  /** Length of the accept queue; default 4096, clamped by the kernel to net.core.somaxconn. */
  readonly backlog?: number;
  /** Default false. */
  readonly v6only?: boolean;
  /**
   * A descriptor that listens there already, from elsewhere (systemd, another program). It is used when no process passes
   * the listener on, and is the hand-off's from then on: closed when one that was passed on takes its place.
   */
  readonly bound?: number;
}

export interface PathListenOptions {
  /** Absolute, at most 107 bytes. A socket that nobody listens on is replaced, anything else is left alone. */
  readonly path: string;
  /** Who may connect; default 0o600. */
  readonly mode?: number;
  /** Length of the accept queue; default 4096, clamped by the kernel to net.core.somaxconn. */
  readonly backlog?: number;
  /**
   * A descriptor that listens there already, from elsewhere (systemd, another program). It is used when no process passes
   * the listener on, and is the hand-off's from then on: closed when one that was passed on takes its place.
   */
  readonly bound?: number;
}

export type ListenOptions = TcpListenOptions | PathListenOptions;

/** A listening TCP or Unix socket that outlives this process if a newer one takes it over. */
export interface Listener<A extends InternetAddress | PathAddress = InternetAddress> {
  readonly key: string;
  readonly address: A;
  /** SO_COOKIE: the same number in every process that holds this very socket. */
  readonly cookie: bigint;
  /** True = taken over from the old process, false = bound here. */
  readonly inherited: boolean;
  /**
   * Gives the connections to a net, http or https server. It accepts when the process becomes owner, not before. A TLS
   * server without `ticketKeys` of its own goes on with those of the old process: its clients resume their sessions.
   * The server emits `close` when another process takes over, and may listen again: what it needs lives on until the
   * process ends.
   *
   * @throws HandoffError HOT4014 when the server listens already or is another listener's, or this one has a server.
   */
  attach(server: Server): void;
  /** A private connection to the attached server; the shared address would prove nothing. For the probe. */
  connectPrivately(): Promise<Socket>;
  /**
   * Gives it up on purpose, here and in a process that stands by: nobody accepts any more, and its connections go on.
   * A process that is taking over at this moment keeps what it has got.
   */
  close(): void;
}

const BACKLOG = 4096;

/** The name of a listener, the server that gets its connections, and the descriptor that comes and goes. */
export class ListenerSlot extends Slot implements Listener<InternetAddress | PathAddress> {
  #server: Server | null = null;
  /** Throws when the server is another listener's. */
  readonly #onAttach: (server: Server) => void;
  readonly #tickets = new TicketKeys();
  #given: OwnedFd | null = null;

  /** @throws HandoffError HOT4014, and then `bound` is the caller's as before. */
  constructor(key: string, options: ListenOptions, onAttach: (server: Server) => void) {
    mustBeOptions(options, `listener ${shown(key)}`, "listen");
    super(key, endpointOf(options));
    this.#onAttach = onAttach;
    if (options.bound !== undefined) this.#given = this.#take(options.bound);
  }

  #take(bound: number): OwnedFd {
    try {
      // The duplicate is close-on-exec, whatever the original was.
      const fd = this.endpoint.describes(bound) ? loadNative().dup(bound) : null;
      if (fd !== null) {
        loadNative().close(bound);
        return new OwnedFd(fd);
      }
    } catch (cause) {
      throw new HandoffError("HOT4014", `bound (${bound}) is no socket`, { phase: "listen", cause });
    }
    const what = `bound (${bound}) does not listen on ${this.endpoint.where}`;
    throw new HandoffError("HOT4014", what, { phase: "listen" });
  }

  override bind(): OwnedFd {
    const given = this.#given;
    this.#given = null;
    return given ?? super.bind();
  }

  override hold(fd: OwnedFd, inherited: FdItem | null): void {
    this.#given?.close();
    this.#given = null;
    super.hold(fd, inherited);
  }

  override discard(): void {
    this.#given?.close();
    this.#given = null;
    super.discard();
  }

  /** Node closes its handle with what the kernel has queued; on a path that leads elsewhere nobody else would get it. */
  protected override rescue(fd: number): void {
    const server = this.#server;
    if (server === null) return;
    try {
      for (let one = loadNative().accept(fd); one !== null; one = loadNative().accept(fd)) {
        server.emit("connection", new Socket({ fd: one, allowHalfOpen: true, readable: true, writable: true }));
      }
    } catch {
      // A socket that was shut down has none.
    }
  }

  get address(): InternetAddress | PathAddress {
    return this.reachedAt;
  }

  get attached(): boolean {
    return this.#server !== null;
  }

  get silent(): boolean {
    return this.accepting && this.#server?.listening !== true;
  }

  attach(server: Server): void {
    if (this.#server !== null || server.listening) {
      const what = this.#server === null ? "the server listens already" : `listener ${this.key} has a server already`;
      throw new HandoffError("HOT4014", what, { phase: "listen" });
    }
    this.#onAttach(server);
    this.#server = server;
    this.#tickets.attach(server);
    if (this.accepting) this.start();
  }

  async connectPrivately(): Promise<Socket> {
    const server = this.#server;
    if (server === null) {
      throw new HandoffError("HOT4014", `listener ${this.key} has no server to probe`, { phase: "probe" });
    }
    return connectPast(server);
  }

  protected override carry(): Uint8Array {
    return this.#tickets.export();
  }

  protected override carried(meta: Uint8Array): void {
    this.#tickets.import(meta);
  }

  protected start(): void {
    const server = this.#server;
    if (server === null || !this.bound || server.listening) return;
    // Only the positional backlog is honoured with a descriptor; Node closes the duplicate.
    server.listen({ fd: loadNative().dup(this.fd) }, this.endpoint.backlog);
    acceptSeveral(server, this.fd, this.endpoint.backlog);
  }

  /** Closes Node's handle only: connections, and idle ones, go on. */
  protected stop(): void {
    if (this.#server?.listening === true) Server.prototype.close.call(this.#server);
  }
}

function endpointOf(options: ListenOptions): Endpoint {
  const { backlog = BACKLOG } = options;
  if ("path" in options) return new PathEndpoint({ mode: 0o600, ...options, backlog });
  const { host = "::", port, v6only = false } = options;
  return new InternetEndpoint("listener", { host, port, v6only, backlog }, () =>
    loadNative().listenTcp(host, port, { backlog, v6only }),
  );
}
