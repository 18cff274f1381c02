// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "../native/addon.ts";
import { InteropError } from "./errors.ts";
import type { InheritedSockets } from "./inherited-sockets.ts";
import { FIRST_FD, takePassedOn } from "./passed-on.ts";

const VARIABLES = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"];
const MAX_FDS = 10_000;

/**
 * The descriptors with which systemd has started this process: those of its socket units, then those of its descriptor
 * store, by name. Removes the variables. They are meant for the process that systemd has started itself: a shell in
 * between must `exec` node.
 *
 * @param env Default `process.env`. Without the variables, or when they are meant for another process, nothing is taken.
 * @returns Sockets (`take`) and other files (`takeFile`). Close what is not taken.
 * @throws InteropError HOT4034: nothing was touched
 *
 * @example
 * using passed = fromSystemd();
 * if (passed.size > 0) server.listen({ fd: passed.take({ name: "http" }) }, 4096);
 */
export function fromSystemd(env: Record<string, string | undefined> = process.env): InheritedSockets {
  const fds = env["LISTEN_PID"] === String(process.pid) ? numbers(env["LISTEN_FDS"]) : [];
  const names = env["LISTEN_FDNAMES"]?.split(":");
  if (fds.length > 0 && names !== undefined && names.length !== fds.length) {
    throw new InteropError("HOT4034", `LISTEN_FDNAMES has ${names.length} names for ${fds.length} descriptors`);
  }
  const labels = fds.map((_, index) => ({ name: names?.[index] ?? "unknown" }));
  const passed = takePassedOn(fds, labels, "LISTEN_FDS", (fd) => loadNative().isOpen(fd));
  if (fds.length > 0) for (const name of VARIABLES) delete env[name];
  return passed;
}

function numbers(count = "0"): number[] {
  if (!/^\d{1,5}$/.test(count) || Number(count) > MAX_FDS) {
    throw new InteropError("HOT4034", `LISTEN_FDS=${JSON.stringify(count)} is no number from 0 to ${MAX_FDS}`);
  }
  return Array.from({ length: Number(count) }, (_, index) => FIRST_FD + index);
}
