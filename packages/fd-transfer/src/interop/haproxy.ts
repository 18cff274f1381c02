// SPDX-License-Identifier: Apache-2.0
import type { SocketInfo } from "../native/contract.ts";
import type { OwnedFd } from "../native/owned-fd.ts";
import { Channel } from "./channel.ts";
import { InteropError } from "./errors.ts";
import { AnswerReader, encodeInteger, REQUEST } from "./haproxy-wire.ts";
import { InheritedSockets } from "./inherited-sockets.ts";

/** HAProxy binds a Unix listener under this name and then renames it; the kernel keeps the first name. */
const TEMPORARY_NAME = /\.\d+\.tmp$/;

export interface HaproxyOptions {
  /** For the whole exchange; default 5,000. */
  readonly timeoutMs?: number;
  /** More are refused; default 10,000. */
  readonly maxSockets?: number;
}

/**
 * Takes the listeners of a running HAProxy, which goes on accepting until it is told to stop (SIGUSR1). They are all
 * its listening sockets: TCP, UDP, Unix, and its stats sockets too.
 *
 * @param path A socket of a line `stats socket … expose-fd listeners`, level admin.
 * @returns Close what is not taken.
 * @throws InteropError HOT4030, HOT4031, HOT4032, HOT4035, HOT4036: nothing is kept, and HAProxy goes on.
 *
 * @example
 * using sockets = await getHaproxySockets("/run/haproxy/admin.sock");
 * server.listen({ fd: sockets.take({ port: 8080 }) }, 4096);
 */
export async function getHaproxySockets(path: string, options: HaproxyOptions = {}): Promise<InheritedSockets> {
  const { timeoutMs = 5_000, maxSockets = 10_000 } = options;
  using channel = Channel.connect(path, timeoutMs);
  const reader = new AnswerReader(maxSockets);
  const fds: OwnedFd[] = [];
  try {
    await channel.send(REQUEST);
    while (!reader.complete) {
      const arrival = await channel.receive();
      if (arrival === null) throw ended(reader.empty, path);
      fds.push(...arrival.fds);
      const before = reader.push(arrival.bytes, arrival.fds.length);
      // After the last one HAProxy before 3.2 has closed already; later versions wait for it.
      if (before !== null) await channel.send(encodeInteger(before));
    }
    return toSockets(reader, fds);
  } catch (error) {
    for (const fd of fds) fd.close();
    throw error;
  }
}

function toSockets({ labels }: AnswerReader, fds: readonly OwnedFd[]): InheritedSockets {
  const sockets = new InheritedSockets();
  for (const [index, fd] of fds.entries()) {
    const { interfaceName = "", namespace = "" } = labels[index] ?? {};
    sockets.add(fd, { interfaceName, namespace }, clientAddress);
  }
  if ([...sockets].length === fds.length) return sockets;
  throw new InteropError("HOT4031", "a descriptor that came is no socket");
}

function clientAddress({ address }: SocketInfo): SocketInfo["address"] {
  return address !== null && "path" in address ? { path: address.path.replace(TEMPORARY_NAME, "") } : address;
}

function ended(nothing: boolean, path: string): InteropError {
  if (nothing) return new InteropError("HOT4032", `${path} has no sockets to give`);
  return new InteropError("HOT4031", `${path} ended in the middle of its answer`);
}
