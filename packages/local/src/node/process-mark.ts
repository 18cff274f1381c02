// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const VARIABLE = "HOT_LOCAL_NODE";

/**
 * How a node knows its processes: each has a random word in its env, which whatever it starts inherits. So at the end,
 * or at the next start in the same folder after the node was killed, all of them are found and ended, and nobody else's.
 */
export class ProcessMark {
  /** A node in this folder was killed. */
  readonly foundEarlier: boolean;
  readonly #file: string;
  readonly #word = randomBytes(12).toString("hex");

  /** Ends what an earlier node left behind in this folder. */
  constructor(dir: string) {
    this.#file = join(dir, "process-mark");
    const earlier = readIfAny(this.#file) ?? "";
    this.foundEarlier = /^[0-9a-f]{24}$/.test(earlier);
    if (this.foundEarlier) killMarked(earlier);
    writeFileSync(this.#file, this.#word);
  }

  get env(): Record<string, string> {
    return { [VARIABLE]: this.#word };
  }

  /** Kills what still runs, such as a process that left its process group. */
  close(): void {
    killMarked(this.#word);
    rmSync(this.#file, { force: true });
  }
}

const MOST_LOOKS = 50;

/** Looks again until nothing is found, since a process may have started another in the meantime. */
function killMarked(word: string): void {
  for (let look = 0; look < MOST_LOOKS; look++) {
    const killed = marked(word).map(kill);
    if (!killed.includes(true)) return;
  }
}

function marked(word: string): number[] {
  const entry = `${VARIABLE}=${word}`;
  return pids().filter((pid) => readIfAny(`/proc/${pid}/environ`)?.split("\0").includes(entry));
}

function pids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** False when there was nothing to kill any more. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

function readIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
