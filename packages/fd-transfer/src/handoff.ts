// SPDX-License-Identifier: Apache-2.0
import cluster from "node:cluster";
import type { EventEmitter } from "node:events";
import { mustBeOptions, shown } from "./arguments.ts";
import type { Datagram, DatagramOptions } from "./datagram.ts";
import { DatagramSlot } from "./datagram.ts";
import type { ConnectionOptions, Connections } from "./declared-connections.ts";
import type { DirectoryMode } from "./directory.ts";
import { FILE_MODE, secureDirectory } from "./directory.ts";
import type { DrainOptions, DrainReport } from "./drain.ts";
import type { PathAddress } from "./endpoint.ts";
import { codeFor, HandoffError } from "./errors.ts";
import type { HandoffEvents, HandoffRole } from "./events.ts";
import type { ListenOptions, Listener, PathListenOptions, TcpListenOptions } from "./listener.ts";
import { ListenerSlot } from "./listener.ts";
import { loadNative } from "./native/addon.ts";
import { Participant } from "./participant.ts";
import { probeAnswer } from "./probe.ts";
import { ProbeSocket } from "./probe-socket.ts";
import type { Timeouts } from "./protocol/limits.ts";
import { timeoutsOf } from "./protocol/limits.ts";
import type { StateOptions } from "./states.ts";
import type { TerminateOptions } from "./termination.ts";
import { terminate } from "./termination.ts";
import type { Environment } from "./version-order.ts";
import { ownVersion } from "./version-order.ts";

export interface HandoffOptions {
  /** The same in all versions of the program; part of the default directory. */
  readonly name: string;
  /** Default: `HOT_DIR` of the environment, else `/dev/shm/<name>.hot`. Made with mode 0700; must be seen by both sides. */
  readonly dir?: string;
  /**
   * `user` (default): both sides run as one user. `group`: they run as different users of one group; the directory has
   * mode 2770 and that group, and everybody in it is trusted.
   */
  readonly mode?: DirectoryMode;
  /** A secret that both sides know, if the user id is not proof enough. */
  readonly token?: string;
  readonly timeouts?: Partial<Timeouts>;
  /** Ends the wait for an owner that cannot be asked: `open` is rejected with its reason and leaves nothing behind. */
  readonly signal?: AbortSignal;
  /** Default `process.env`: `HOT_DIR`, `SIDECARSET_VERSION`, `SIDECARSET_VERSION_ALT`. */
  readonly env?: Environment;
}

export interface ReadyOptions {
  /**
   * Proves that this process can serve, before it takes over and again during the guard. Ask the server through
   * `listener.connectPrivately()`: the shared port may be answered by the old process.
   */
  readonly probe?: () => Promise<void>;
  /**
   * Takes the word back: `ready` is rejected with its reason, an attempt to take over is called off, also in the guard,
   * and the old process serves on. `ready` can be called again. Without effect once this process owns for good.
   */
  readonly signal?: AbortSignal;
}

export interface SignalOptions extends TerminateOptions {
  /** Default SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Called after the drain, before the process exits. */
  readonly onTerminate?: (report: DrainReport) => void | Promise<void>;
}

/**
 * Takes listeners over from the process that has them, and hands them over to the one that comes next.
 * At every instant somebody accepts: whichever side dies or hangs, the other one goes on with the same sockets, and
 * until the old process is told to stop it takes back by itself.
 *
 * @example
 * const hot = await HotHandoff.open({ name: "proxy" });
 * const http = await hot.listener("http", { port: 8080 });
 * http.attach(server);
 * hot.handleSignals();
 * await hot.ready({ probe: () => checkHealth(http) });
 */
export class HotHandoff {
  readonly #participant: Participant;
  readonly #probeSocket: ProbeSocket;
  #termination: Promise<DrainReport> | null = null;
  #signals: (() => void) | null = null;

  private constructor(participant: Participant, probeSocket: ProbeSocket) {
    this.#participant = participant;
    this.#probeSocket = probeSocket;
  }

  /**
   * Resolves when the role is known: at once, except while the owner cannot be asked.
   *
   * @throws HandoffError HOT4001 unsafe directory, HOT4002 owner out of reach, HOT4004 version skew, HOT4005 refused,
   * HOT4006 no descriptor left, HOT4012 in a cluster worker, HOT4014 bad argument.
   * @throws NativeUnavailable HOT4090 not on Linux, or without a binary that fits.
   */
  static async open(options: HandoffOptions): Promise<HotHandoff> {
    if (cluster.isWorker) {
      throw new HandoffError("HOT4012", "a worker's descriptors are the primary's", { phase: "open" });
    }
    loadFirst();
    mustBeOptions(options, "HotHandoff.open", "open");
    const { name, token, mode = "user", env = process.env, signal } = options;
    signal?.throwIfAborted();
    if (typeof name !== "string" || !/^[A-Za-z0-9][\w.-]{0,62}$/.test(name)) {
      const rule = "a text of 1 to 63 letters, digits, dots, dashes or underscores";
      throw new HandoffError("HOT4014", `name ${shown(name)} is not ${rule}`, { phase: "open" });
    }
    if (!Object.hasOwn(FILE_MODE, mode)) {
      throw new HandoffError("HOT4014", `mode ${shown(mode)} is neither "user" nor "group"`, { phase: "open" });
    }
    const dir = options.dir ?? (env["HOT_DIR"] || `/dev/shm/${name}.hot`);
    const version = ownVersion(env);
    const timeouts = timeoutsOf(options.timeouts);
    secureDirectory(dir, mode);
    const rank = { version, startedAt: process.hrtime.bigint() };
    const participant = new Participant({ name, dir, rank, token, mode }, timeouts);
    const probeSocket = new ProbeSocket(dir, version, FILE_MODE[mode], () => probeAnswer(participant));
    const hot = new HotHandoff(participant, probeSocket);
    const abort = (): void => participant.opened.reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    participant.newSide.seek();
    try {
      await participant.opened.promise;
    } catch (error) {
      await hot.close();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
    return hot;
  }

  /** What this process is now; it changes, see the `role` event. */
  get role(): HandoffRole {
    return this.#participant.role;
  }

  /** True while this process owns, read from shared memory at each use. */
  get isOwner(): boolean {
    return this.#participant.isOwner();
  }

  /** The fencing token of this process' ownership: pass it along to exclusive resources, which refuse a lower one. */
  get epoch(): bigint {
    return this.#participant.tenure.epoch;
  }

  /** Aborted when the ownership that this process has now (or had last) is lost. */
  get signal(): AbortSignal {
    return this.#participant.tenure.signal;
  }

  /** `role`, `owner`, `handoff`, `committed`, `rollback`, `retry`, `draining`, `drained`, `listenerDead`, `connectionLost`. */
  get events(): EventEmitter<HandoffEvents> {
    return this.#participant.events;
  }

  /**
   * The listening socket of this name, taken over or bound here. Pending while another process owns and this one
   * stands by, and while another one takes over. It does not accept before {@link ready}; asked for after that it accepts
   * at once. A taken address is an error for a process that takes over or serves already, which goes on with what it has;
   * one that starts alone lets go, says so (`retry`) and tries again.
   *
   * @throws HandoffError HOT4010 address in use, HOT4011 in use by the old process, which has this key at another host,
   * HOT4006 no descriptor left, HOT4014 bad argument, HOT4013 closed meanwhile.
   *
   * @example
   * const http = await hot.listener("http", { port: 8080 });
   * const admin = await hot.listener("admin", { path: "/run/proxy/admin.sock", mode: 0o660 });
   */
  listener(key: string, options: TcpListenOptions): Promise<Listener>;
  listener(key: string, options: PathListenOptions): Promise<Listener<PathAddress>>;
  async listener(key: string, options: ListenOptions): Promise<Listener | Listener<PathAddress>> {
    const { application, migration } = this.#participant;
    application.mustBeFree(key); // before `bound` is taken
    const slot = await application.bound(new ListenerSlot(key, options, (server) => migration.track(key, server)));
    return slot as Listener | Listener<PathAddress>;
  }

  /**
   * The UDP socket of this name, as {@link listener}. No datagram is lost on the way: both processes share one queue,
   * and for a moment both read from it, so what one has begun with a client may be continued by the other.
   *
   * @throws HandoffError HOT4010 address in use, HOT4014 bad argument, HOT4013 closed meanwhile.
   *
   * @example
   * const dns = await hot.datagram("dns", { port: 53 });
   * dns.attach(createSocket("udp6").on("message", answer));
   */
  async datagram(key: string, options: DatagramOptions): Promise<Datagram> {
    return this.#participant.application.bound(new DatagramSlot(key, options));
  }

  /**
   * State that the next process starts with: the old one exports it when it is asked, the new one imports it before its
   * probe. A process that takes back goes on with the state it has itself.
   *
   * @throws HandoffError HOT4014 when the key is taken.
   *
   * @example
   * hot.state<Map<string, Route>>("routes", {
   *   version: 2,
   *   export: () => routes,
   *   import: (value) => void (routes = value),
   *   migrate: (value, version) => fromVersionOne(value),
   * });
   */
  state<T>(key: string, options: StateOptions<T>): void {
    this.#participant.holdings.states.declare(key, options);
  }

  /**
   * Connections that can move to the process that takes over, such as WebSockets or those of a protocol of one's own:
   * while this process drains, each is passed on at a moment that `pack` agrees to, and its client sees nothing of it.
   * Both versions declare the same key; without it, or when the move fails, the connection stays and is drained.
   * The keep-alive connections of a plain HTTP server move by themselves, between two requests.
   *
   * @throws HandoffError HOT4014 when the key is taken.
   *
   * @example
   * const lines = hot.connections<{ user: string }>("lines", {
   *   pack: (socket) => ({ meta: { user: users.get(socket) }, unread: halfLine(socket) }),
   *   adopt: (socket, { user }) => serve(socket, user), // which calls lines.add(socket)
   * });
   */
  connections<M>(key: string, options: ConnectionOptions<M>): Connections {
    return this.#participant.migration.declare(key, options);
  }

  /**
   * Says that the application can serve. Resolves when this process owns for good and accepts; tries again by itself
   * when the old side calls an attempt off. Pending while it stands by.
   *
   * @throws HandoffError HOT4006 without room for the sockets, HOT4007 when the probe fails, HOT4010 when an address that
   * the old process has not got is taken, HOT4015 when a state cannot be imported: the old process serves as before.
   */
  async ready(options: ReadyOptions = {}): Promise<void> {
    const { probe = async () => undefined, signal } = options;
    signal?.throwIfAborted();
    const abort = (): void => this.#participant.application.takeReadyBack(signal?.reason);
    signal?.addEventListener("abort", abort);
    try {
      await this.#participant.application.ready(probe);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * Ends the connections that this process has: their next response carries `Connection: close`; what is left at the
   * deadline is destroyed and counted. HTTP/2 sessions get GOAWAY at a moment without streams. It begins by itself,
   * without deadline, when a newer process has taken over.
   */
  async drain(options: DrainOptions): Promise<DrainReport> {
    const report = await this.#participant.migration.drain.finish(options);
    this.#participant.events.emit("drained", report);
    return report;
  }

  /** What SIGTERM means: gives back to a standby or finishes a hand-over, stops accepting, drains, closes. */
  async terminate(options: TerminateOptions = {}): Promise<DrainReport> {
    this.#termination ??= terminate(this.#participant, options).finally(() => this.#closeProbe());
    return this.#termination;
  }

  /** Calls {@link terminate} at the first signal and exits with 0 afterwards. */
  handleSignals(options: SignalOptions = {}): void {
    const { signals = ["SIGTERM", "SIGINT"], onTerminate } = options;
    const onSignal = (): void => {
      if (this.#termination !== null) return;
      void this.terminate(options)
        .then((report) => onTerminate?.(report))
        .finally(() => process.exit(0));
    };
    this.#signals?.();
    for (const signal of signals) process.on(signal, onSignal);
    this.#signals = () => {
      for (const signal of signals) process.off(signal, onSignal);
    };
  }

  /** Lets go of everything at once. A standby takes back; the connections of the application are not touched. */
  async close(): Promise<void> {
    this.#participant.close();
    this.#closeProbe();
    this.#signals?.();
    this.#signals = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #closeProbe(): void {
    this.#probeSocket.close();
  }
}

/** Before anything is written, on a platform that has none of it. */
function loadFirst(): void {
  try {
    loadNative();
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    if (codeFor(code, "HOT4014") !== "HOT4006") throw cause;
    throw new HandoffError("HOT4006", "no descriptor is left to load the native part with", { phase: "open", cause });
  }
}

/** What a program needs of a {@link HotHandoff}, so that a stub can stand in for it (`@hot/fd-transfer/testing`). */
export type Handoff = Pick<HotHandoff, keyof HotHandoff>;
