// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import type { OwnedFd } from "../native/owned-fd.ts";
import { Channel } from "./channel.ts";
import { Door } from "./door.ts";
import { InteropError } from "./errors.ts";
import { InheritedSockets } from "./inherited-sockets.ts";

const PATH = "/dev/shm/migrate.sock";
const MIGRATE_URL = "http://127.0.0.1:9091/migrate";
/** What was sent before the answer has arrived before it; it only has to be read. */
const AFTER_A_NO_MS = 500;
const SOCK_STREAM = 1;

export interface GiveOptions {
  /** Where the new process waits; default `/dev/shm/migrate.sock`. */
  readonly path?: string;
  /** For the whole exchange; default 5,000. */
  readonly timeoutMs?: number;
}

export interface TakeOptions extends GiveOptions {
  /** Where the old process is asked; default `http://127.0.0.1:9091/migrate`. */
  readonly url?: string;
}

/**
 * The new side of OpenKruise's hot-upgrade sample, which is written in Go: waits on the path, asks the old process over
 * HTTP, and gets its one listener. The old process closes its own at once, so what has come is kept even when its answer
 * is no or does not come.
 *
 * @returns One listening stream socket.
 * @throws InteropError HOT4030, HOT4031, HOT4035, HOT4036: nothing has come · NativeError EADDRINUSE: another one waits
 *
 * @example
 * using sockets = await takeMigratedListener();
 * server.listen({ fd: sockets.take({ port: 9091 }) }, 4096);
 */
export async function takeMigratedListener(options: TakeOptions = {}): Promise<InheritedSockets> {
  const { path = PATH, timeoutMs = 5_000, url = MIGRATE_URL } = options;
  const first = Promise.withResolvers<OwnedFd>();
  let came = false;
  using _ = new Door(path, 0o600, (fd) => {
    if (came) return fd.close();
    came = true;
    first.resolve(fd);
  });
  const listener = first.promise.then(async (fd) => receiveListener(new Channel(fd, timeoutMs)));
  const end = new AbortController();
  try {
    return await Promise.race([listener, withoutListener(url, timeoutMs, end.signal)]);
  } catch (error) {
    // Too late for whoever has called.
    listener.then(
      (sockets) => sockets.close(),
      () => undefined,
    );
    throw error;
  } finally {
    end.abort();
  }
}

/**
 * The old side: gives the listener to the process that waits on the path, and resolves when that process has read it.
 * The descriptor stays ours as well; close the server only after this.
 *
 * @throws InteropError HOT4030 (nobody waits), HOT4031 (it ended without having read it), HOT4036: go on serving.
 *
 * @example
 * await giveMigratedListener(descriptorOf(server));
 * response.end("success"); // to GET /migrate; anything else means that it failed
 * server.close();
 */
export async function giveMigratedListener(fd: number, options: GiveOptions = {}): Promise<void> {
  const { path = PATH, timeoutMs = 5_000 } = options;
  using channel = Channel.connect(path, timeoutMs);
  channel.mustBeOurs();
  // One byte, as Go sends it: a stream loses descriptors without (K3).
  await channel.send(Buffer.alloc(1), [fd]);
  const arrival = await channel.receive();
  for (const extra of arrival?.fds ?? []) extra.close();
  // There is no acknowledgement, but the kernel resets a connection that is closed before everything was read.
  if (arrival === null && !channel.reset) return;
  throw new InteropError("HOT4031", `who waited on ${path} did not read the listener`);
}

/** Rejects when no listener is to be expected any more. */
async function withoutListener(url: string, timeoutMs: number, signal: AbortSignal): Promise<never> {
  try {
    await ask(url, timeoutMs);
  } catch (error) {
    await sleep(AFTER_A_NO_MS, undefined, { signal });
    throw error;
  }
  await sleep(timeoutMs, undefined, { signal });
  throw new InteropError("HOT4036", `${url} says success, and no listener has come`);
}

async function receiveListener(channel: Channel): Promise<InheritedSockets> {
  const sockets = new InheritedSockets();
  let rest: OwnedFd[] = [];
  try {
    channel.mustBeOurs();
    rest = (await channel.receive())?.fds ?? [];
    const count = rest.length;
    for (let fd = rest.pop(); fd !== undefined; fd = rest.pop()) sockets.add(fd);
    const listening = [...sockets].every(({ info }) => info.accepting && info.type === SOCK_STREAM);
    if (count === 1 && [...sockets].length === 1 && listening) return sockets;
    throw new InteropError("HOT4031", `${count} descriptors came instead of one listener`);
  } catch (error) {
    sockets.close();
    throw error;
  } finally {
    for (const fd of rest) fd.close();
    channel.close();
  }
}

/** @throws InteropError HOT4030 when there is no answer, HOT4031 when it is not "success". */
async function ask(url: string, timeoutMs: number): Promise<void> {
  let said: string;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), headers: { connection: "close" } });
    said = `${response.status} ${(await response.text()).slice(0, 100)}`;
  } catch (cause) {
    throw new InteropError("HOT4030", url, cause);
  }
  if (said !== "200 success") throw new InteropError("HOT4031", `${url} says ${JSON.stringify(said)}`);
}
