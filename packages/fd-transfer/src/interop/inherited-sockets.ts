// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "../native/addon.ts";
import type { SocketInfo } from "../native/contract.ts";
import type { OwnedFd } from "../native/owned-fd.ts";
import { InteropError } from "./errors.ts";

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;

/** What the other program said of a socket beside the socket itself. */
export interface SocketLabel {
  /** LISTEN_FDNAMES of systemd. */
  readonly name?: string;
  /** The network interface that HAProxy bound it to. */
  readonly interfaceName?: string;
  /** The network namespace, by the name that HAProxy's configuration has for it. */
  readonly namespace?: string;
}

/** A socket that came from another program. Its descriptor is close-on-exec and belongs to the {@link InheritedSockets}. */
export interface InheritedSocket extends SocketLabel {
  readonly fd: number;
  /** `address` is the one that clients use, `cookie` the identity in every process. */
  readonly info: SocketInfo;
}

/** Every property given must fit. */
export interface SocketQuery extends SocketLabel {
  /** TCP, unless `type` says otherwise. */
  readonly port?: number;
  /** As the kernel writes it: `0.0.0.0`, `::`, `127.0.0.1`. */
  readonly host?: string;
  readonly path?: string;
  /** Default `stream`. */
  readonly type?: "stream" | "datagram";
}

/**
 * The sockets that another program has passed on. What is not taken is closed by `close()`: otherwise the kernel would
 * go on queueing connections to a socket that nobody accepts on.
 *
 * @example
 * using sockets = await getHaproxySockets("/run/haproxy/admin.sock");
 * server.listen({ fd: sockets.take({ port: 8080 }) }, 4096);
 */
export class InheritedSockets implements Iterable<InheritedSocket> {
  readonly #sockets = new Map<OwnedFd, InheritedSocket>();
  readonly #files = new Map<OwnedFd, SocketLabel>();

  /** How many are left, files included. */
  get size(): number {
    return this.#sockets.size + this.#files.size;
  }

  /** The sockets; files are not among them. */
  [Symbol.iterator](): Iterator<InheritedSocket> {
    return this.#sockets.values();
  }

  /**
   * Takes one out: the caller closes it, or gives it to a server that does.
   *
   * @throws InteropError HOT4033 unless exactly one fits; nothing is taken then.
   */
  take(query: SocketQuery): number {
    const found = [...this.#sockets].filter(([, socket]) => fits(socket, query));
    const [only] = found;
    if (only === undefined || found.length > 1) {
      const what = `${found.length} sockets fit ${JSON.stringify(query)} among ${this.#describe()}`;
      throw new InteropError("HOT4033", what);
    }
    this.#sockets.delete(only[0]);
    return only[0].release();
  }

  /**
   * Takes out a descriptor that is no socket, such as a memfd with state; only systemd's descriptor store has them.
   *
   * @throws InteropError HOT4033 unless exactly one has this name; nothing is taken then.
   */
  takeFile(name: string): number {
    const found = [...this.#files].filter(([, label]) => label.name === name);
    const [only] = found;
    if (only === undefined || found.length > 1) {
      const names = [...this.#files.values()].map((label) => label.name).join(", ") || "none";
      throw new InteropError("HOT4033", `${found.length} files have the name ${JSON.stringify(name)} among ${names}`);
    }
    this.#files.delete(only[0]);
    return only[0].release();
  }

  /** Closes those that were not taken. Idempotent. */
  close(): void {
    for (const fd of [...this.#sockets.keys(), ...this.#files.keys()]) fd.close();
    this.#sockets.clear();
    this.#files.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Owns the descriptor from now on. */
  add(fd: OwnedFd, label: SocketLabel = {}, clientAddress = (info: SocketInfo) => info.address): void {
    const info = socketInfo(fd.fd);
    if (info === null) this.#files.set(fd, label);
    else this.#sockets.set(fd, { ...label, fd: fd.fd, info: { ...info, address: clientAddress(info) } });
  }

  #describe(): string {
    const list = [...this.#sockets.values()].map(({ info: { address, type }, name, interfaceName, namespace }) =>
      JSON.stringify({ name, interfaceName, namespace, type: type === SOCK_DGRAM ? "datagram" : "stream", ...address }),
    );
    return list.length === 0 ? "none" : list.join(", ");
  }
}

/** Null for what is no socket. */
function socketInfo(fd: number): SocketInfo | null {
  try {
    return loadNative().socketInfo(fd);
  } catch {
    return null;
  }
}

function fits(socket: InheritedSocket, query: SocketQuery): boolean {
  const { port, host, path, type = "stream", name, interfaceName, namespace } = query;
  const { address } = socket.info;
  const has: { host?: string; port?: number; path?: string } = address ?? {};
  return (
    socket.info.type === (type === "stream" ? SOCK_STREAM : SOCK_DGRAM) &&
    [
      [port, has.port],
      [host, has.host],
      [path, has.path],
      [name, socket.name],
      [interfaceName, socket.interfaceName],
      [namespace, socket.namespace],
    ].every(([asked, is]) => asked === undefined || asked === is)
  );
}
