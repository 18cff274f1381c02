// SPDX-License-Identifier: Apache-2.0
import { lstatSync, mkdirSync } from "node:fs";
import { isAbsolute } from "node:path";
import { HandoffError } from "./errors.ts";

/** sun_path has 108 bytes; the longest name in the directory is `probe.<20 digits>.sock` with a suffix of 10. */
const MAX_PATH_BYTES = 107 - "/probe.18446744073709551615.sock.abcdefgh".length;

/**
 * Makes the directory (0700) if it is missing, and refuses one that others could enter, replace or redirect.
 *
 * @throws HandoffError HOT4001 with what is wrong: link, owner, mode.
 */
export function secureDirectory(dir: string): void {
  const unsafe = (message: string, cause?: unknown): HandoffError =>
    new HandoffError("HOT4001", `${dir} ${message}`, { phase: "open", cause });
  if (!isAbsolute(dir)) throw unsafe("is not an absolute path");
  if (Buffer.byteLength(dir) > MAX_PATH_BYTES) throw unsafe(`is longer than ${MAX_PATH_BYTES} bytes`);
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw unsafe("cannot be made", error);
  }
  const found = lstatSync(dir);
  const uid = process.geteuid?.() ?? found.uid;
  if (found.isSymbolicLink()) throw unsafe("is a symbolic link");
  if (!found.isDirectory()) throw unsafe("is not a directory");
  if (found.uid !== uid) throw unsafe(`belongs to user ${found.uid}, this process is user ${uid}`);
  if ((found.mode & 0o077) !== 0) throw unsafe(`has mode ${(found.mode & 0o7777).toString(8)}, 700 is needed`);
}
