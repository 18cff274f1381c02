// SPDX-License-Identifier: Apache-2.0
import { isIP, isIPv6, SocketAddress } from "node:net";
import { shown } from "./arguments.ts";
import type { Endpoint, InternetAddress, Reached } from "./endpoint.ts";
import { HandoffError } from "./errors.ts";
import { listens } from "./identities.ts";
import { loadNative } from "./native/addon.ts";
import type { SocketInfo } from "./native/contract.ts";
import { OwnedFd } from "./native/owned-fd.ts";

const SOCK_DGRAM = 2;

export interface InternetOptions {
  readonly host: string;
  readonly port: number;
  readonly v6only: boolean;
  readonly backlog: number;
}

/** A TCP or UDP port. */
export class InternetEndpoint implements Endpoint {
  readonly kind: Endpoint["kind"];
  readonly #options: InternetOptions;
  readonly #bind: () => number;

  /** @throws HandoffError HOT4014 */
  constructor(kind: Endpoint["kind"], options: InternetOptions, bind: () => number) {
    const { host, port } = options;
    const wrong = (what: string): HandoffError => new HandoffError("HOT4014", what, { phase: "listen" });
    if (isIP(host) === 0) throw wrong(`host ${shown(host)} is not a numeric address`);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw wrong(`port ${shown(port)} is not a whole number from 0 to 65535`);
    }
    this.kind = kind;
    this.#options = options;
    this.#bind = bind;
  }

  get backlog(): number {
    return this.#options.backlog;
  }

  get port(): number {
    return this.#options.port;
  }

  get where(): string {
    return `[${this.#options.host}]:${this.#options.port}`;
  }

  bind(): OwnedFd {
    return new OwnedFd(this.#bind());
  }

  matches(item: Reached): boolean {
    const { host, port, v6only } = this.#options;
    return (
      item.kind === this.kind &&
      canonical(item.address) === canonical(host) &&
      // Only the address of everybody can take IPv4 in; for a single one the kernel always says that it is v6only.
      (canonical(host) !== "::" || item.v6only === v6only) &&
      (port === 0 || item.port === port)
    );
  }

  describes(fd: number): boolean {
    const { address, type, accepting, v6only } = loadNative().socketInfo(fd);
    if (address === null || !("port" in address)) return false;
    const isKind = this.kind === "listener" ? accepting : type === SOCK_DGRAM;
    const { host, port } = address;
    return isKind && this.matches({ kind: this.kind, domain: 0, address: host, port, v6only });
  }

  hold(): void {}

  isLost(fd: number): boolean {
    return this.kind === "listener" && !listens(fd);
  }

  replace(): null {
    return null;
  }

  address({ address }: SocketInfo): InternetAddress {
    return address !== null && "port" in address ? address : { host: "", port: 0 };
  }
}

/** `::1` is also written `0:0:0:0:0:0:0:1`; binding it a second time would fail. */
function canonical(address: string): string {
  if (isIP(address) === 0) return address;
  return new SocketAddress({ address, family: isIPv6(address) ? "ipv6" : "ipv4" }).address;
}
