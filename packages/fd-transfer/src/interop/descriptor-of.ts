// SPDX-License-Identifier: Apache-2.0
import type { Server } from "node:net";
import { InteropError } from "./errors.ts";

/**
 * The descriptor of a server that listens, to pass it on. It stays the server's, which closes it: whoever passes it on
 * before `server.close()` loses no connection.
 *
 * @param server A net, http or https server, also one that is attached to a `Listener` and accepts.
 * @throws InteropError HOT4037 when it does not listen.
 */
export function descriptorOf(server: Server): number {
  // Not documented, but the only way to it.
  const handle = Reflect.get(server, "_handle") as { readonly fd?: number } | null | undefined;
  const fd = handle?.fd ?? -1;
  if (fd < 0) throw new InteropError("HOT4037", "the server does not listen, so it has no descriptor to pass on");
  return fd;
}
