// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { accessSync, constants, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { allocateAddress } from "./address.ts";
import { startTimeOf } from "./process.ts";

/** What the containers of one pod share. */
export interface Sandbox {
  podIP: string;
  /** Folder that stands for the pod's /dev/shm. */
  shm: string;
  /** Work folder: one sub-folder per container with one folder and one log file per instance. */
  dir: string;
}

const SHM = "/dev/shm";
/** `hot.<pid>.<start time of that process>.<random>`: whoever finds one can tell whether its owner lives. */
const SHM_NAME = /^hot\.(\d+)\.(\d+)\.[0-9a-f]+$/;

/** The sandboxes of all pods of one node: addresses and folders, all gone after `close`. */
export class Sandboxes {
  readonly #pods: string;
  readonly #shm: string;
  readonly #byUid = new Map<string, Sandbox>();

  /** `abandoned`: an earlier node was killed in this folder, so what it holds of pods is old. */
  constructor(dir: string, abandoned: boolean) {
    this.#pods = join(dir, "pods");
    if (abandoned) removeFolder(this.#pods);
    mkdirSync(this.#pods, { recursive: true });
    this.#shm = shmRoot(dir);
    mkdirSync(this.#shm, { recursive: true, mode: 0o700 });
  }

  get(uid: string): Sandbox | undefined {
    return this.#byUid.get(uid);
  }

  create(uid: string): Sandbox {
    const existing = this.#byUid.get(uid);
    if (existing !== undefined) return existing;
    const taken = new Set([...this.#byUid.values()].map((sandbox) => sandbox.podIP));
    const short = createHash("sha256").update(uid).digest("hex").slice(0, 10);
    const sandbox = { podIP: allocateAddress(uid, taken), shm: join(this.#shm, short), dir: join(this.#pods, uid) };
    mkdirSync(sandbox.shm, { recursive: true });
    mkdirSync(sandbox.dir, { recursive: true });
    this.#byUid.set(uid, sandbox);
    return sandbox;
  }

  remove(uid: string): void {
    const sandbox = this.#byUid.get(uid);
    if (sandbox === undefined) return;
    this.#byUid.delete(uid);
    removeFolder(sandbox.shm);
    removeFolder(sandbox.dir);
  }

  close(): void {
    for (const uid of this.#byUid.keys()) this.remove(uid);
    removeFolder(this.#shm);
    try {
      rmdirSync(this.#pods);
    } catch {
      // it holds what somebody else has put there
    }
  }
}

/** Tries again where a process is still writing. */
function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}

/** Short names below it: a Unix socket's path has room for 107 bytes. */
function shmRoot(dir: string): string {
  try {
    accessSync(SHM, constants.W_OK);
  } catch {
    return join(dir, "shm");
  }
  removeAbandoned();
  const started = startTimeOf(process.pid) ?? "0";
  return join(SHM, `hot.${process.pid}.${started}.${randomBytes(3).toString("hex")}`);
}

/** Folders of processes that were killed before they could remove them. */
function removeAbandoned(): void {
  for (const name of readdirSync(SHM)) {
    const [, pid, started] = SHM_NAME.exec(name) ?? [];
    if (pid === undefined || startTimeOf(Number(pid)) === started) continue;
    try {
      rmSync(join(SHM, name), { recursive: true, force: true });
    } catch {
      // it belongs to somebody else
    }
  }
}
