// SPDX-License-Identifier: Apache-2.0
import { constants, fchmodSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DirectoryMode } from "./directory.ts";
import { FILE_MODE } from "./directory.ts";
import { codeFor, HandoffError } from "./errors.ts";
import { loadNative } from "./native/addon.ts";
import type { NativeError } from "./native/native-error.ts";
import { OwnedFd } from "./native/owned-fd.ts";

const EPOCH_BYTES = 8;
const MAX_RACES = 100;

/**
 * L and EPOCH: one open file description of `<dir>/lock`.
 * L answers one question only: is anyone of this lineage alive? It is given up by closing, never unlocked, and the file
 * is never removed: a file that is removed and made again is two locks. EPOCH, the first 8 bytes, little endian, only
 * grows; it is the fencing token for state outside.
 */
export class Lineage {
  readonly #fd: OwnedFd;
  readonly #dir: string;
  readonly #mode: DirectoryMode;

  private constructor(fd: OwnedFd, dir: string, mode: DirectoryMode) {
    this.#fd = fd;
    this.#dir = dir;
    this.#mode = mode;
  }

  /** The lock, or null while anybody of the lineage is alive. Never waits, never steals. */
  static tryAcquire(dir: string, mode: DirectoryMode = "user"): Lineage | null {
    const path = join(dir, "lock");
    for (let race = 0; race < MAX_RACES; race++) {
      using fd = open(path, FILE_MODE[mode]);
      if (!loadNative().lockExclusive(fd.fd)) return null;
      if (isFile(fd.fd, path)) return new Lineage(new OwnedFd(fd.release()), dir, mode);
    }
    throw new HandoffError("HOT4001", `${path} is replaced again and again`, { phase: "open" });
  }

  /** The description that the old side passed; it is locked already and must not be locked again. */
  static adopt(fd: OwnedFd, dir: string, mode: DirectoryMode = "user"): Lineage {
    if (!isFile(fd.fd, join(dir, "lock"))) {
      throw new HandoffError("HOT4006", "the lock that came is not the lock of this directory", { phase: "transfer" });
    }
    return new Lineage(fd, dir, mode);
  }

  /**
   * L of an owner whose file was removed, with the whole directory as a rule: the file that is there now, and the epoch
   * goes on. Otherwise nobody could take over any more. This one as it is while somebody else has it: who starts lets go
   * of it when the address is taken (R11).
   */
  renewed(): Lineage {
    if (isFile(this.fd, join(this.#dir, "lock"))) return this;
    const another = Lineage.tryAcquire(this.#dir, this.#mode);
    if (another === null) return this;
    another.#raise(this.readEpoch());
    this.close();
    return another;
  }

  get fd(): number {
    return this.#fd.fd;
  }

  /** 0 in a fresh directory. */
  readEpoch(): bigint {
    const bytes = Buffer.alloc(EPOCH_BYTES);
    return readSync(this.fd, bytes, 0, EPOCH_BYTES, 0) === EPOCH_BYTES ? bytes.readBigUInt64LE() : 0n;
  }

  /**
   * Writes and returns the next number: max+1, or the time in ms for a fresh directory. By compare-and-swap: a process
   * that was stopped in here must not put back what others have raised meanwhile.
   *
   * @throws HandoffError HOT4001 when it cannot be written: the file system of a fresh directory is full, as a rule.
   */
  takeEpoch(): bigint {
    for (;;) {
      const before = this.readEpoch();
      const next = before === 0n ? BigInt(Date.now()) : before + 1n;
      if (exchange(this.fd, before, next)) return next;
    }
  }

  #raise(to: bigint): void {
    for (let before = this.readEpoch(); before < to; before = this.readEpoch()) exchange(this.fd, before, to);
  }

  /** Only after the dups of the listeners are closed. */
  close(): void {
    this.#fd.close();
  }
}

function open(path: string, mode: number): OwnedFd {
  try {
    using fd = new OwnedFd(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, mode));
    const { uid, mode: bits } = fstatSync(fd.fd);
    // The umask has taken some away; only the user that made it can put it right.
    if (uid === process.geteuid?.() && (bits & 0o777) !== mode) fchmodSync(fd.fd, mode);
    return new OwnedFd(fd.release());
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    throw new HandoffError(codeFor(code, "HOT4001"), `${path} cannot be opened (${code})`, { phase: "open", cause });
  }
}

function exchange(fd: number, before: bigint, next: bigint): boolean {
  try {
    return loadNative().exchangeEpoch(fd, before, next);
  } catch (cause) {
    const { code } = cause as NativeError;
    throw new HandoffError("HOT4001", `the lock cannot be written (${code})`, { phase: "own", cause });
  }
}

function isFile(fd: number, path: string): boolean {
  const here = fstatSync(fd);
  const there = statSync(path, { throwIfNoEntry: false });
  return there !== undefined && here.ino === there.ino && here.dev === there.dev;
}
