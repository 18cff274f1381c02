// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "../native/addon.ts";
import { NativeError } from "../native/native-error.ts";
import { OwnedFd } from "../native/owned-fd.ts";
import { Channel } from "./channel.ts";
import { InteropError } from "./errors.ts";
import { MAX_BATCH } from "./haproxy-wire.ts";

const MAX_BYTES = 2048;
/** What systemd allows: printable ASCII without a colon. */
const NAME = /^[\x20-\x39\x3b-\x7e]{1,255}$/;

export interface NotifyOptions {
  /** Default `process.env`; its NOTIFY_SOCKET is the way to systemd. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Until systemd has handled it; default 5,000. */
  readonly timeoutMs?: number;
}

/**
 * Tells systemd something, such as `READY=1` or `STOPPING=1`, and waits until it has handled it.
 *
 * @param state Assignments, one on each line.
 * @returns false when nobody wants to know: the process was not started by systemd, or without `NotifyAccess`.
 * @throws InteropError HOT4030, HOT4034 (NOTIFY_SOCKET is of a kind that is not supported), HOT4036, HOT4037
 *
 * @example
 * await notifySystemd("READY=1");
 */
export async function notifySystemd(state: string, options: NotifyOptions = {}): Promise<boolean> {
  return send([{ state, fds: [] }], options);
}

/**
 * Puts descriptors into systemd's store: it keeps them open when this process crashes, and the next one gets them from
 * `fromSystemd` under these names. What is in the store already is not put there twice. Needs
 * `FileDescriptorStoreMax=` in the unit; systemd says nothing when it is exceeded.
 *
 * @param fds By name; the name is that of `FDNAME=`. They stay the caller's as well.
 * @returns false when there is no systemd.
 *
 * @example
 * await storeFds({ http: [descriptorOf(server)] });
 */
export async function storeFds(
  fds: Readonly<Record<string, readonly number[]>>,
  options: NotifyOptions = {},
): Promise<boolean> {
  const messages = Object.entries(fds).flatMap(([name, list]) => {
    const state = `FDSTORE=1\nFDNAME=${named(name)}`;
    const parts = Array.from({ length: Math.ceil(list.length / MAX_BATCH) }, (_, part) => part * MAX_BATCH);
    return parts.map((from) => ({ state, fds: list.slice(from, from + MAX_BATCH) }));
  });
  return send(messages, options);
}

/** Takes every descriptor of this name out of systemd's store. Returns false when there is no systemd. */
export async function removeStoredFds(name: string, options: NotifyOptions = {}): Promise<boolean> {
  return notifySystemd(`FDSTOREREMOVE=1\nFDNAME=${named(name)}`, options);
}

interface Notification {
  readonly state: string;
  readonly fds: readonly number[];
}

async function send(messages: readonly Notification[], options: NotifyOptions): Promise<boolean> {
  const { env = process.env, timeoutMs = 5_000 } = options;
  const { NOTIFY_SOCKET: path = "" } = env;
  if (path === "") return false;
  if (!/^[/@]/.test(path)) throw new InteropError("HOT4034", `NOTIFY_SOCKET=${path} is no Unix socket`);
  using systemd = Channel.connect(path.replace(/^@/, "\0"), timeoutMs, "datagram");
  try {
    for (const { state, fds } of messages) {
      const bytes = Buffer.from(state);
      if (bytes.length === 0 || bytes.length > MAX_BYTES) throw new InteropError("HOT4037", `${bytes.length} bytes`);
      await systemd.send(bytes, fds);
    }
    await handled(systemd, timeoutMs);
  } catch (cause) {
    if (cause instanceof NativeError) throw new InteropError("HOT4030", `${path} (${cause.code})`, cause);
    throw cause;
  }
  return true;
}

/** systemd closes the descriptor of a BARRIER when it has handled everything before it. */
async function handled(systemd: Channel, timeoutMs: number): Promise<void> {
  const [ours, theirs] = loadNative().socketpair();
  using end = new OwnedFd(theirs);
  using barrier = new Channel(new OwnedFd(ours), timeoutMs);
  await systemd.send(Buffer.from("BARRIER=1"), [end.fd]);
  end.close();
  await barrier.receive();
}

function named(name: string): string {
  if (!NAME.test(name)) throw new InteropError("HOT4037", `${JSON.stringify(name)} is no name for systemd`);
  return name;
}
