// SPDX-License-Identifier: Apache-2.0
import { shown } from "./arguments.ts";
import type { Endpoint, InternetAddress, PathAddress } from "./endpoint.ts";
import { HandoffError } from "./errors.ts";
import { loadNative } from "./native/addon.ts";
import type { SocketInfo } from "./native/contract.ts";
import { NativeError } from "./native/native-error.ts";
import type { OwnedFd } from "./native/owned-fd.ts";
import type { FdItem } from "./protocol/message.ts";

const NOTHING = new Uint8Array();

/** The name of a socket that moves and the descriptor behind it, which comes and goes with ownership. */
export abstract class Slot {
  readonly key: string;
  readonly endpoint: Endpoint;
  #fd: OwnedFd | null = null;
  /** Made once: nothing of it changes in the life of a socket but whether it listens. A hand-over needs all at once. */
  #item: FdItem | null = null;
  #inherited = false;
  #address: InternetAddress | PathAddress = { path: "" };
  #accepting = false;
  /** It could not begin to take in what comes, for want of descriptors as a rule. */
  #failed = false;
  /** What it means to give the socket up on purpose; set by whoever holds it. */
  onClose: () => void = () => undefined;

  constructor(key: string, endpoint: Endpoint) {
    if (typeof key !== "string" || key === "" || Buffer.byteLength(key) > 255) {
      throw new HandoffError("HOT4014", `the key ${shown(key)} is not a text of 1 to 255 bytes`, { phase: "listen" });
    }
    this.key = key;
    this.endpoint = endpoint;
  }

  /** SO_COOKIE of the socket. */
  get cookie(): bigint {
    return this.#item?.cookie ?? 0n;
  }

  get inherited(): boolean {
    return this.#inherited;
  }

  get bound(): boolean {
    return this.#fd !== null;
  }

  /** It should take in what comes, whether or not somebody is attached. */
  get accepting(): boolean {
    return this.#accepting;
  }

  get fd(): number {
    if (this.#fd === null) throw new HandoffError("HOT4013", `${this.key} is not held`, { phase: "own" });
    return this.#fd.fd;
  }

  protected get reachedAt(): InternetAddress | PathAddress {
    return this.#address;
  }

  /** Somebody was given what comes in. */
  abstract readonly attached: boolean;

  /** It should take in what comes and does not, because the application closed what was attached. */
  abstract readonly silent: boolean;

  /** Node holds the socket as well, and goes on with it when {@link letGo} has closed ours: nobody else can bind it. */
  get lingers(): boolean {
    return false;
  }

  /** For one that lingers: Node holds it no more. */
  async closed(): Promise<void> {}

  /** Takes in what comes from now on; does nothing while nobody is attached. Idempotent. */
  protected abstract start(): void;

  /** Leaves what comes in the kernel's queue, which our descriptor keeps alive (K13). Idempotent. */
  protected abstract stop(): void;

  /** What the next owner gets with the descriptor, and gives to {@link carried}. */
  protected carry(): Uint8Array {
    return NOTHING;
  }

  protected carried(_meta: Uint8Array): void {}

  /** What waits in the queue of a socket that is given up. */
  protected rescue(_fd: number): void {}

  /** The socket for a process to which nobody passed one on. Throws a NativeError. */
  bind(): OwnedFd {
    return this.endpoint.bind();
  }

  /** Takes over a descriptor: one of our own, or an inherited one with its item. */
  hold(fd: OwnedFd, inherited: FdItem | null): void {
    this.#fd?.close();
    this.#fd = fd;
    this.#inherited = inherited !== null;
    this.endpoint.hold(fd.fd);
    this.#identify(fd.fd);
    if (inherited !== null) this.carried(inherited.meta);
    if (this.#accepting) this.start();
  }

  /** Takes in what comes, as soon as it can: {@link repair} tries again. */
  accept(): void {
    this.#accepting = true;
    this.#failed = false;
    try {
      this.start();
    } catch (error) {
      if (!(error instanceof NativeError)) throw error;
      this.#failed = true;
    }
  }

  stopAccepting(): void {
    this.#accepting = false;
    this.stop();
  }

  /**
   * Listens again after somebody's shutdown() of the shared socket (K14) or the loss of its path; true if it had to.
   *
   * @throws NativeError EADDRINUSE when somebody else has the address now.
   */
  repair(): boolean {
    const fd = this.#fd;
    if (fd === null || !this.#accepting) return false;
    if (this.#failed) this.accept();
    if (!this.endpoint.isLost(fd.fd)) return false;
    const another = this.endpoint.replace(fd.fd);
    this.stop();
    if (another !== null) {
      this.rescue(fd.fd);
      fd.close();
      this.#fd = another;
      this.endpoint.hold(another.fd);
    }
    // What it could not begin now it begins at the next look.
    this.accept();
    this.#identify(this.fd);
    return true;
  }

  #identify(fd: number): void {
    const info = loadNative().socketInfo(fd);
    this.#address = this.endpoint.address(info);
    this.#item = this.#describe(info);
  }

  close(): void {
    this.onClose();
  }

  /** It is not wanted any more. */
  discard(): void {
    this.letGo();
  }

  letGo(): void {
    this.stopAccepting();
    this.#fd?.close();
    this.#fd = null;
  }

  describe(): FdItem {
    const item = this.#item ?? this.#describe(loadNative().socketInfo(this.fd));
    const meta = this.carry();
    return meta.byteLength === 0 ? item : { ...item, meta };
  }

  #describe(info: SocketInfo): FdItem {
    const address = this.#address;
    return {
      key: this.key,
      kind: this.endpoint.kind,
      domain: info.domain,
      type: info.type,
      proto: info.protocol,
      address: "path" in address ? address.path : address.host,
      port: "path" in address ? 0 : address.port,
      cookie: info.cookie,
      backlog: this.endpoint.backlog,
      v6only: info.v6only,
      reusePort: info.reusePort,
      ifname: "",
      netnsIno: 0n,
      meta: NOTHING,
    };
  }
}
