// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "../native/addon.ts";
import { OwnedFd } from "../native/owned-fd.ts";
import { Channel } from "./channel.ts";
import { Door } from "./door.ts";
import { batchesOf, encodeInteger, encodeLabel, REQUEST } from "./haproxy-wire.ts";
import { InteropError } from "./errors.ts";

const MAX_CLIENTS = 16;

/** A listening socket to pass on, with what HAProxy compares beside its address. */
export interface HaproxyListener {
  readonly fd: number;
  /** The interface of `bind … interface NAME`; default none. */
  readonly interfaceName?: string;
  /** The name of `bind … namespace NAME`; default none. */
  readonly namespace?: string;
}

export interface HaproxyServerOptions {
  /** Who may connect to the path; default 0o600. Only this user and root are answered in any case. */
  readonly mode?: number;
  /** For one new HAProxy; default 5,000. */
  readonly timeoutMs?: number;
  /** A process has got all sockets and has acknowledged them. It does not accept yet. */
  readonly onTaken?: () => void;
  /** A process asked and did not get them. */
  readonly onFailed?: (error: unknown) => void;
}

/**
 * Stands in for an old HAProxy: `haproxy -x PATH` starts on these sockets. It uses those that its configuration binds
 * (address, interface and namespace must be equal) and closes the others. Keeps duplicates until `close`.
 *
 * A Unix socket is recognised by HAProxy only when it was bound as `PATH.NUMBER.tmp`; any other is bound anew.
 *
 * @param path Absolute. Put in place atomically; a socket that somebody listens on is not replaced.
 * @throws NativeError EADDRINUSE, ENOTSOCK · HandoffError HOT4014 · InteropError HOT4037
 *
 * @example
 * const door = serveHaproxySockets("/run/haproxy/old.sock", [{ fd }], { onTaken: () => server.close() });
 */
export function serveHaproxySockets(
  path: string,
  listeners: readonly HaproxyListener[],
  options: HaproxyServerOptions = {},
): HaproxyServer {
  return new HaproxyServer(path, listeners, options);
}

export class HaproxyServer {
  readonly #options: HaproxyServerOptions;
  readonly #labels: Buffer[];
  readonly #fds: OwnedFd[] = [];
  readonly #door: Door;
  readonly #clients = new Set<Channel>();

  constructor(path: string, listeners: readonly HaproxyListener[], options: HaproxyServerOptions) {
    this.#options = options;
    this.#labels = listeners.map(({ namespace = "", interfaceName = "" }) => encodeLabel({ namespace, interfaceName }));
    try {
      for (const { fd } of listeners) {
        loadNative().socketInfo(fd);
        this.#fds.push(new OwnedFd(loadNative().dup(fd)));
      }
      this.#door = new Door(path, options.mode ?? 0o600, (fd) => this.#accept(fd));
    } catch (error) {
      for (const fd of this.#fds) fd.close();
      throw error;
    }
  }

  get path(): string {
    return this.#door.path;
  }

  /** Answers no more, and gives its duplicates up. Idempotent. */
  close(): void {
    this.#door.close();
    for (const channel of this.#clients) channel.close();
    for (const fd of this.#fds) fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #accept(fd: OwnedFd): void {
    if (this.#clients.size >= MAX_CLIENTS) return fd.close();
    const channel = new Channel(fd, this.#options.timeoutMs ?? 5_000);
    this.#clients.add(channel);
    this.#answer(channel)
      .then(
        () => this.#options.onTaken?.(),
        (error: unknown) => this.#options.onFailed?.(error),
      )
      .finally(() => {
        this.#clients.delete(channel);
        channel.close();
      });
  }

  async #answer(channel: Channel): Promise<void> {
    channel.mustBeOurs();
    await expect(channel, REQUEST.length, (bytes) => bytes.equals(REQUEST));
    // Like HAProxy itself: without sockets not even their number.
    if (this.#fds.length === 0) return;
    await channel.send(encodeInteger(this.#fds.length));
    let sent = 0;
    for (const { count, bytes } of batchesOf(this.#labels)) {
      const fds = this.#fds.slice(sent, sent + count).map(({ fd }) => fd);
      await channel.send(bytes, fds);
      sent += count;
      // The number in it has no meaning of its own; what counts is that the descriptors have left the queue (K9).
      await expect(channel, 4, () => true);
    }
  }
}

/** Exactly these many bytes, which may come in parts, and no descriptors. */
async function expect(channel: Channel, length: number, right: (bytes: Buffer) => boolean): Promise<void> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < length) {
    const arrival = await channel.receive();
    if (arrival === null) throw new InteropError("HOT4031", "the asking process ended before it had everything");
    bytes = Buffer.concat([bytes, arrival.bytes]);
    for (const fd of arrival.fds) fd.close();
    if (arrival.fds.length > 0) throw new InteropError("HOT4031", "descriptors came with a question");
  }
  if (bytes.length > length || !right(bytes)) throw new InteropError("HOT4031", "the question is not HAProxy's");
}
