// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createConnection, createServer, isIP, isIPv6, Server, SocketAddress } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { HandoffError } from "./errors.ts";
import { loadNative } from "./native/addon.ts";
import type { OwnedFd } from "./native/owned-fd.ts";
import type { FdItem } from "./protocol/message.ts";

export interface ListenOptions {
  /** 0 = any free port, or whatever port the inherited listener has. */
  readonly port: number;
  /** A numeric address; default `::` (IPv4 too). */
  readonly host?: string;
  /** Length of the accept queue; default 4096, clamped by the kernel to net.core.somaxconn. */
  readonly backlog?: number;
  /** Default false. */
  readonly v6only?: boolean;
}

/** A listening TCP socket that outlives this process if a newer one takes it over. */
export interface Listener {
  readonly key: string;
  readonly address: { readonly host: string; readonly port: number };
  /** SO_COOKIE: the same number in every process that holds this very socket. */
  readonly cookie: bigint;
  /** True = taken over from the old process, false = bound here. */
  readonly inherited: boolean;
  /** Gives the connections to a net, http or https server. It accepts when the process becomes owner, not before. */
  attach(server: Server): void;
  /** A private connection to the attached server; the shared port would prove nothing. For the probe. */
  connectPrivately(): Promise<Socket>;
}

/** The name of a listener and the descriptor behind it, which comes and goes with ownership. */
export class ListenerSlot implements Listener {
  readonly key: string;
  readonly options: Required<ListenOptions>;
  #fd: OwnedFd | null = null;
  #cookie = 0n;
  #inherited = false;
  #address = { host: "", port: 0 };
  #server: Server | null = null;
  #accepting = false;
  readonly #onAttach: (server: Server) => void;

  constructor(key: string, options: ListenOptions, onAttach: (server: Server) => void) {
    this.key = key;
    this.options = { host: "::", backlog: 4096, v6only: false, ...options };
    this.#onAttach = onAttach;
    const { host, port } = this.options;
    const wrong = (what: string): HandoffError => new HandoffError("HOT4014", what, { phase: "listen" });
    if (isIP(host) === 0) throw wrong(`host "${host}" is not a numeric address`);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw wrong(`port ${port} is not within 0 to 65535`);
    if (key === "" || Buffer.byteLength(key) > 255) throw wrong(`the key "${key}" has not 1 to 255 bytes`);
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#address;
  }

  get cookie(): bigint {
    return this.#cookie;
  }

  get inherited(): boolean {
    return this.#inherited;
  }

  get attached(): boolean {
    return this.#server !== null;
  }

  /** It should accept, but its server was closed by somebody else. */
  get silent(): boolean {
    return this.#accepting && this.#server?.listening !== true;
  }

  get bound(): boolean {
    return this.#fd !== null;
  }

  get fd(): number {
    if (this.#fd === null) throw new HandoffError("HOT4013", `listener ${this.key} is not held`, { phase: "own" });
    return this.#fd.fd;
  }

  /** Takes over the descriptor of a listener, our own or an inherited one. */
  hold(fd: OwnedFd, inherited: boolean): void {
    this.#fd?.close();
    this.#fd = fd;
    this.#inherited = inherited;
    const { cookie, address } = loadNative().socketInfo(fd.fd);
    this.#cookie = cookie;
    if (address !== null && "port" in address) this.#address = address;
    if (this.#accepting) this.#listen();
  }

  attach(server: Server): void {
    if (this.#server !== null || server.listening) {
      const what = this.#server === null ? "the server listens already" : `listener ${this.key} has a server already`;
      throw new HandoffError("HOT4014", what, { phase: "listen" });
    }
    this.#server = server;
    this.#onAttach(server);
    if (this.#accepting) this.#listen();
  }

  accept(): void {
    this.#accepting = true;
    this.#listen();
  }

  /** Closes Node's handle only: our descriptor keeps the queue alive, and connections and idle ones go on (K13). */
  stopAccepting(): void {
    this.#accepting = false;
    if (this.#server?.listening === true) Server.prototype.close.call(this.#server);
  }

  /** True again after somebody's shutdown() of the shared socket was repaired (K14). */
  repairIfDead(): boolean {
    if (this.#fd === null || !this.#accepting || loadNative().socketInfo(this.#fd.fd).accepting) return false;
    this.stopAccepting();
    this.accept();
    return true;
  }

  letGo(): void {
    this.stopAccepting();
    this.#fd?.close();
    this.#fd = null;
  }

  describe(): FdItem {
    const info = loadNative().socketInfo(this.fd);
    return {
      key: this.key,
      kind: "listener",
      domain: info.domain,
      type: info.type,
      proto: info.protocol,
      address: this.#address.host,
      port: this.#address.port,
      cookie: info.cookie,
      backlog: this.options.backlog,
      v6only: info.v6only,
      reusePort: info.reusePort,
      ifname: "",
      netnsIno: 0n,
      meta: new Uint8Array(),
    };
  }

  /** Whether an inherited listener is the one asked for: same key, and same address if one is asked for. */
  matches(item: FdItem): boolean {
    const { host, port, v6only } = this.options;
    return (
      item.kind === "listener" &&
      item.key === this.key &&
      canonical(item.address) === canonical(host) &&
      // Only the address of everybody can take IPv4 in; for a single one the kernel always says that it is v6only.
      (canonical(host) !== "::" || item.v6only === v6only) &&
      (port === 0 || item.port === port)
    );
  }

  async connectPrivately(): Promise<Socket> {
    const server = this.#server;
    if (server === null) {
      throw new HandoffError("HOT4014", `listener ${this.key} has no server to probe`, { phase: "probe" });
    }
    const door = createServer();
    door.listen(0, "127.0.0.1");
    await once(door, "listening");
    const arrived: Socket[] = [];
    door.on("connection", (socket) => arrived.push(socket));
    try {
      const client = createConnection((door.address() as AddressInfo).port, "127.0.0.1");
      await once(client, "connect");
      // The door is open to everybody on this machine for a moment; only our own connection passes.
      const own = (): Socket | undefined => arrived.find((socket) => socket.remotePort === client.localPort);
      while (own() === undefined) await once(door, "connection");
      for (const socket of arrived) if (socket !== own()) socket.destroy();
      server.emit("connection", own());
      return client;
    } finally {
      door.close();
    }
  }

  #listen(): void {
    const server = this.#server;
    if (server === null || this.#fd === null || server.listening) return;
    // Only the positional backlog is honoured with a descriptor; Node closes the duplicate.
    server.listen({ fd: loadNative().dup(this.#fd.fd) }, this.options.backlog);
  }
}

/** `::1` is also written `0:0:0:0:0:0:0:1`; binding it a second time would fail. */
function canonical(address: string): string {
  if (isIP(address) === 0) return address;
  return new SocketAddress({ address, family: isIPv6(address) ? "ipv6" : "ipv4" }).address;
}
