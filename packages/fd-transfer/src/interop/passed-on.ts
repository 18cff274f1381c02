// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "../native/addon.ts";
import { OwnedFd } from "../native/owned-fd.ts";
import { InteropError } from "./errors.ts";
import { InheritedSockets, type SocketLabel } from "./inherited-sockets.ts";

/** Below it are stdin, stdout and stderr. */
export const FIRST_FD = 3;

/**
 * Takes over the descriptors that a parent process has left open and named by number. They get new numbers, so that they
 * are close-on-exec and nobody takes the old ones a second time. First all of them are looked at: when one is not what
 * it should be, the numbers may mean something else in this process, and none is touched.
 *
 * @param source For messages.
 * @param expected Whether a descriptor may be one of them; default: sockets only.
 * @throws InteropError HOT4034
 */
export function takePassedOn(
  fds: readonly number[],
  labels: readonly SocketLabel[],
  source: string,
  expected: (fd: number) => boolean = isSocket,
): InheritedSockets {
  if (new Set(fds).size < fds.length) throw new InteropError("HOT4034", `${source} names a descriptor twice`);
  const wrong = fds.find((fd) => fd < FIRST_FD || !expected(fd));
  if (wrong !== undefined) {
    throw new InteropError("HOT4034", `${source} names ${wrong}, which was not passed on to this process`);
  }
  const sockets = new InheritedSockets();
  try {
    for (const [index, fd] of fds.entries()) sockets.add(new OwnedFd(loadNative().dup(fd)), labels[index]);
  } catch (cause) {
    sockets.close();
    throw new InteropError("HOT4034", `${source}: the descriptors cannot be taken over`, cause);
  }
  for (const fd of fds) loadNative().close(fd);
  return sockets;
}

function isSocket(fd: number): boolean {
  try {
    loadNative().socketInfo(fd);
    return true;
  } catch {
    return false;
  }
}
