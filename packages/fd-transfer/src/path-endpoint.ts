// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { lstatSync, renameSync, rmSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { shown } from "./arguments.ts";
import type { Endpoint, PathAddress, Reached } from "./endpoint.ts";
import { HandoffError } from "./errors.ts";
import { loadNative } from "./native/addon.ts";
import { NativeError } from "./native/native-error.ts";
import { OwnedFd } from "./native/owned-fd.ts";

const AF_UNIX = 1;
/** sun_path without the NUL at its end. */
const MAX_PATH_BYTES = 107;
const EADDRINUSE = 98;

export interface PathOptions {
  readonly path: string;
  readonly mode: number;
  readonly backlog: number;
}

/**
 * A stream socket on a path. It is bound under a name of its own and renamed, so that the path always leads to a socket
 * that listens; it is never unlinked, so that the old process cannot take it away from the new one.
 */
export class PathEndpoint implements Endpoint {
  readonly kind = "listener";
  readonly port = null;
  readonly #options: PathOptions;
  #file: string | null = null;

  /** @throws HandoffError HOT4014 */
  constructor(options: PathOptions) {
    const { path, mode } = options;
    const wrong = (what: string): HandoffError => new HandoffError("HOT4014", what, { phase: "listen" });
    if (typeof path !== "string" || !isAbsolute(path) || path.includes("\0")) {
      throw wrong(`path ${shown(path)} is not absolute`);
    }
    const longest = Math.max(Buffer.byteLength(path), Buffer.byteLength(temporaryBeside(path)));
    if (longest > MAX_PATH_BYTES) throw wrong(`path "${path}" is longer than ${MAX_PATH_BYTES} bytes`);
    if (!Number.isInteger(mode) || mode < 0 || mode > 0o777) {
      throw wrong(`mode ${shown(mode)} is not a whole number from 0 to 0o777`);
    }
    this.#options = options;
  }

  get backlog(): number {
    return this.#options.backlog;
  }

  get where(): string {
    return this.#options.path;
  }

  bind(): OwnedFd {
    if (isTaken(this.#options.path)) throw new NativeError("EADDRINUSE", EADDRINUSE, "bind", this.#options.path);
    return this.#bind();
  }

  /** The path is the caller's word: many programs bind another name and rename it, as this one does. */
  describes(fd: number): boolean {
    const { domain, accepting } = loadNative().socketInfo(fd);
    return domain === AF_UNIX && accepting;
  }

  /** The socket does not know the file that it is bound to, so what the path leads to at this moment is taken for it. */
  hold(): void {
    this.#file = fileAt(this.#options.path);
  }

  isLost(fd: number): boolean {
    return !loadNative().socketInfo(fd).accepting || this.#file === null || fileAt(this.#options.path) !== this.#file;
  }

  /** A Unix socket can neither listen again after shutdown() nor get its path back. */
  replace(): OwnedFd {
    return this.#file !== null && fileAt(this.#options.path) === this.#file ? this.#bind() : this.bind();
  }

  #bind(): OwnedFd {
    const { path, mode, backlog } = this.#options;
    const temporary = temporaryBeside(path);
    const fd = new OwnedFd(loadNative().listenUnix(temporary, backlog, mode));
    try {
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      fd.close();
      throw error;
    }
    return fd;
  }

  matches(item: Reached): boolean {
    return item.kind === "listener" && item.domain === AF_UNIX && item.address === this.#options.path;
  }

  address(): PathAddress {
    return { path: this.#options.path };
  }
}

function temporaryBeside(path: string): string {
  return join(dirname(path), `.hot-${randomBytes(4).toString("hex")}`);
}

/** Names the socket file at this path; null when there is none. */
function fileAt(path: string): string | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isSocket() === true ? `${found.dev}:${found.ino}` : null;
}

/**
 * Somebody has the path, or it is no socket: neither is ours to replace. What nobody has is left over. The question is
 * put with a socket of another type, so that a server which listens there does not see a connection.
 */
function isTaken(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (!found.isSocket()) return true;
  try {
    loadNative().close(loadNative().connectSeqpacket(path));
    return true;
  } catch (error) {
    const code = error instanceof NativeError ? error.code : "";
    return code !== "ECONNREFUSED" && code !== "ENOENT";
  }
}
