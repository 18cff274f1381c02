// SPDX-License-Identifier: Apache-2.0
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { isAbsolute } from "node:path";
import { HandoffError } from "./errors.ts";

/** sun_path has 108 bytes; the longest name in the directory is `probe.<20 digits>.sock` with a suffix of 10. */
const MAX_PATH_BYTES = 107 - "/probe.18446744073709551615.sock.abcdefgh".length;

/** Who may be a side of the hand-over: processes of one user, or of one group. */
export type DirectoryMode = "user" | "group";

/** Mode of the sockets and the lock inside: who can reach them belongs to us. */
export const FILE_MODE = { user: 0o600, group: 0o660 } as const;

/**
 * Makes the directory (0700; for a group 2770) if it is missing, and refuses one that others could enter, replace or
 * redirect.
 *
 * @throws HandoffError HOT4001 with what is wrong: link, owner, group, mode.
 */
export function secureDirectory(dir: string, mode: DirectoryMode = "user"): void {
  const unsafe = (message: string, cause?: unknown): HandoffError =>
    new HandoffError("HOT4001", `${dir} ${message}`, { phase: "open", cause });
  if (!isAbsolute(dir)) throw unsafe("is not an absolute path");
  if (Buffer.byteLength(dir) > MAX_PATH_BYTES) throw unsafe(`is longer than ${MAX_PATH_BYTES} bytes`);
  try {
    mkdirSync(dir, { mode: 0o700 });
    // What is made inside gets the group of the directory, whoever makes it.
    if (mode === "group") chmodSync(dir, 0o2770);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw unsafe("cannot be made", error);
  }
  const found = lstatSync(dir);
  const uid = process.geteuid?.() ?? found.uid;
  if (found.isSymbolicLink()) throw unsafe("is a symbolic link");
  if (!found.isDirectory()) throw unsafe("is not a directory");
  const bits = (found.mode & 0o7777).toString(8);
  if (mode === "group") {
    const groups = [process.getegid?.() ?? found.gid, ...(process.getgroups?.() ?? [])];
    if (!groups.includes(found.gid)) throw unsafe(`belongs to group ${found.gid}, which this process is not in`);
    if ((found.mode & 0o2777) !== 0o2770) throw unsafe(`has mode ${bits}, 2770 is needed`);
    return;
  }
  if (found.uid !== uid) throw unsafe(`belongs to user ${found.uid}, this process is user ${uid}`);
  if ((found.mode & 0o077) !== 0) throw unsafe(`has mode ${bits}, 700 is needed`);
}
