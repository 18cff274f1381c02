// SPDX-License-Identifier: Apache-2.0
import type { Socket as DatagramSocket } from "node:dgram";
import { EventEmitter, once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { createConnection } from "node:net";
import type { Datagram, DatagramOptions } from "./datagram.ts";
import type { ConnectionOptions, Connections } from "./declared-connections.ts";
import type { DrainReport } from "./drain.ts";
import type { InternetAddress, PathAddress } from "./endpoint.ts";
import type { HandoffEvents } from "./events.ts";
import type { Handoff, ReadyOptions } from "./handoff.ts";
import type { ListenOptions, Listener, PathListenOptions, TcpListenOptions } from "./listener.ts";
import type { StateOptions } from "./states.ts";

const NOTHING: DrainReport = { connections: 0, moved: 0, closed: 0, reset: 0, resetBusy: 0, ms: 0 };

/**
 * Stands in for HotHandoff in unit tests: a lone owner in one process, without native code, files or signals. Servers
 * and datagram sockets are bound by Node when `ready()` is called; what was declared can be looked at.
 *
 * @example
 * await using hot = new StubHandoff();
 * await startProxy(hot); // takes a `Handoff`
 * expect(hot.states.get("routes")?.export()).toEqual(routes);
 * hot.loseOwnership(); // hot.signal is aborted
 */
export class StubHandoff implements Handoff {
  readonly role = "fresh";
  readonly epoch = 1n;
  readonly events = new EventEmitter<HandoffEvents>();
  readonly states = new Map<string, StateOptions<unknown>>();
  readonly kinds = new Map<string, ConnectionOptions<unknown>>();
  readonly #over = new AbortController();
  readonly #sockets: StubSocket[] = [];
  isOwner = false;

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  listener(key: string, options: TcpListenOptions): Promise<Listener>;
  listener(key: string, options: PathListenOptions): Promise<Listener<PathAddress>>;
  async listener(key: string, options: ListenOptions): Promise<Listener | Listener<PathAddress>> {
    const stub = new StubListener(key, options);
    this.#sockets.push(stub);
    return stub as Listener | Listener<PathAddress>;
  }

  async datagram(key: string, options: DatagramOptions): Promise<Datagram> {
    const stub = new StubDatagram(key, options);
    this.#sockets.push(stub);
    return stub;
  }

  state<T>(key: string, options: StateOptions<T>): void {
    this.states.set(key, options);
  }

  connections<M>(key: string, options: ConnectionOptions<M>): Connections {
    this.kinds.set(key, options);
    const sockets = new Set<Socket>();
    return {
      key,
      get size() {
        return sockets.size;
      },
      add(socket) {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      },
    };
  }

  async ready({ probe }: ReadyOptions = {}): Promise<void> {
    await probe?.();
    for (const socket of this.#sockets) await socket.open();
    this.isOwner = true;
    this.events.emit("owner", this.epoch);
  }

  async drain(): Promise<DrainReport> {
    return NOTHING;
  }

  async terminate(): Promise<DrainReport> {
    await this.close();
    return NOTHING;
  }

  handleSignals(): void {}

  /** As if another process had taken over. */
  loseOwnership(): void {
    this.isOwner = false;
    this.#over.abort();
    this.events.emit("role", "standby");
  }

  async close(): Promise<void> {
    this.isOwner = false;
    for (const socket of this.#sockets) socket.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

interface StubSocket {
  open(): Promise<void>;
  close(): void;
}

class StubListener implements StubSocket, Listener<InternetAddress | PathAddress> {
  readonly key: string;
  readonly cookie = 0n;
  readonly inherited = false;
  readonly #options: ListenOptions;
  #server: Server | null = null;

  constructor(key: string, options: ListenOptions) {
    this.key = key;
    this.#options = options;
  }

  /** The port is known once ready() was called. */
  get address(): InternetAddress | PathAddress {
    if ("path" in this.#options) return { path: this.#options.path };
    const bound = this.#server?.address() as AddressInfo | null | undefined;
    return { host: this.#options.host ?? "::", port: bound?.port ?? this.#options.port };
  }

  attach(server: Server): void {
    this.#server = server;
  }

  async open(): Promise<void> {
    if (this.#server === null || this.#server.listening) return;
    if ("path" in this.#options) this.#server.listen(this.#options.path);
    else this.#server.listen(this.#options.port, this.#options.host ?? "::");
    await once(this.#server, "listening");
  }

  async connectPrivately(): Promise<Socket> {
    const server = this.#server;
    if (server === null) throw new Error(`listener ${this.key} has no server`);
    if (!server.listening) await this.open();
    const bound = server.address();
    const socket = typeof bound === "string" ? createConnection(bound) : createConnection(bound?.port ?? 0);
    await once(socket, "connect");
    return socket;
  }

  close(): void {
    this.#server?.close();
  }
}

class StubDatagram implements StubSocket, Datagram {
  readonly key: string;
  readonly cookie = 0n;
  readonly inherited = false;
  readonly #options: DatagramOptions;
  #socket: DatagramSocket | null = null;
  #open = false;

  constructor(key: string, options: DatagramOptions) {
    this.key = key;
    this.#options = options;
  }

  /** The port is known once ready() was called. */
  get address(): InternetAddress {
    const { host = "::", port } = this.#options;
    return { host, port: this.#open ? (this.#socket?.address().port ?? port) : port };
  }

  attach(socket: DatagramSocket): void {
    this.#socket = socket;
  }

  async open(): Promise<void> {
    if (this.#socket === null) return;
    this.#socket.bind(this.#options.port, this.#options.host);
    await once(this.#socket, "listening");
    this.#open = true;
  }

  close(): void {
    if (this.#open) this.#socket?.close();
    this.#open = false;
  }
}
