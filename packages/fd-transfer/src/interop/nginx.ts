// SPDX-License-Identifier: Apache-2.0
import { InteropError } from "./errors.ts";
import type { InheritedSockets } from "./inherited-sockets.ts";
import { FIRST_FD, takePassedOn } from "./passed-on.ts";

/** Each number is ended by a semicolon or a colon. */
const LIST = /^(?:\d{1,9}[;:])*$/;

/**
 * The listeners of an nginx that was told to change its binary (USR2) and has started this process as the new one.
 * nginx goes on accepting until it gets WINCH or QUIT. Removes the variable.
 *
 * @param env Default `process.env`. Without `NGINX` nothing is taken.
 * @returns Close what is not taken.
 * @throws InteropError HOT4034: nothing was touched
 *
 * @example
 * using sockets = fromNginxEnv();
 * if (sockets.size > 0) server.listen({ fd: sockets.take({ port: 80 }) }, 4096);
 */
export function fromNginxEnv(env: Record<string, string | undefined> = process.env): InheritedSockets {
  const { NGINX: list = "" } = env;
  if (!LIST.test(list)) throw new InteropError("HOT4034", `NGINX=${JSON.stringify(list)} is no list of descriptors`);
  const sockets = takePassedOn((list.match(/\d+/g) ?? []).map(Number), [], "NGINX");
  delete env["NGINX"];
  return sockets;
}

/**
 * The environment with which a new nginx starts on listeners of this process. It uses those that its configuration has
 * a `listen` for, and closes the others.
 *
 * @param count How many are passed on.
 * @param first The number of the first one in the new process; those of the others follow.
 *
 * @example
 * const fds = [descriptorOf(server)];
 * spawn("nginx", ["-g", "daemon off;"], {
 *   env: { ...process.env, ...toNginxEnv(fds.length) },
 *   stdio: ["inherit", "inherit", "inherit", ...fds], // position = number in the new process
 * });
 */
export function toNginxEnv(count: number, first = FIRST_FD): { readonly NGINX: string } {
  if (!Number.isInteger(count) || count < 0 || !Number.isInteger(first) || first < FIRST_FD) {
    throw new InteropError("HOT4037", `${count} descriptors from ${first} on`);
  }
  return { NGINX: Array.from({ length: count }, (_, index) => `${first + index};`).join("") };
}
