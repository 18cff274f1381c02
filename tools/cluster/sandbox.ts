// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from "node:child_process";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClusterError } from "./cluster-error.ts";

// A cluster lives in its own process, mount and network namespace. Its end is the end of one process: the kernel then
// ends every other process of it and takes away every mount and link, whatever state a test has left it in.

/** Runs as process 1: lays a private /var and /run over the machine's, says so, then reaps whatever is orphaned. */
const INIT = `set -e
mount --make-rshared /
mount -t overlay -o "lowerdir=/var,upperdir=$1/var,workdir=$1/var.work" overlay /var
mount -t tmpfs tmpfs /run
: > "$1/init.ready"
trap : TERM INT HUP
while :; do sleep 86400 & wait $! || :; done
`;

/** Starts the namespaces and resolves with process 1's number as the host sees it. */
export async function createSandbox(folder: string): Promise<number> {
  const log = openSync(join(folder, "log", "sandbox.log"), "a");
  const outer = spawn(
    "unshare",
    [
      "--net",
      "--mount",
      "--pid",
      "--fork",
      "--kill-child",
      "--propagation",
      "private",
      "--mount-proc",
      "sh",
      "-c",
      INIT,
      "init",
      folder,
    ],
    { detached: true, stdio: ["ignore", log, log] },
  );
  outer.unref();
  const failed = new Promise<never>((_, reject) => {
    outer.once("error", reject);
    outer.once("exit", () => {
      const cause =
        readFileSync(join(folder, "log", "sandbox.log"), "utf8")
          .trim()
          .split("\n")
          .at(-1) ?? "";
      reject(
        new ClusterError("the cluster's namespaces could not be made", cause, "run as root, outside of a container"),
      );
    });
  });
  failed.catch(() => undefined);
  const init = await Promise.race([childOf(outer.pid ?? 0), failed]);
  await Promise.race([exists(join(folder, "init.ready")), failed]);
  outer.removeAllListeners();
  writeFileSync(join(folder, "run", "init.pid"), String(init));
  return init;
}

/** The command line that runs something inside the sandbox. */
export function inside(init: number, command: readonly string[]): string[] {
  return ["nsenter", "--target", String(init), "--net", "--mount", "--pid", "--", ...command];
}

/** Runs a short command inside the sandbox and returns what it printed. */
export function runInside(init: number, command: readonly string[], input?: string): string {
  const [file = "", ...args] = inside(init, command);
  return execFileSync(file, args, { encoding: "utf8", input, stdio: ["pipe", "pipe", "pipe"] });
}

/** The only child of a process that forks once, such as `unshare --fork` and `nsenter --pid`. */
export async function childOf(pid: number): Promise<number> {
  for (;;) {
    const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
    if (child > 0) return child;
    await sleep(5);
  }
}

async function exists(file: string): Promise<void> {
  for (;;) {
    try {
      readFileSync(file);
      return;
    } catch {
      await sleep(5);
    }
  }
}
