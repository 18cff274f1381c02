// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";

const MOST_SECONDS = 60;

/** Twice as many processes that only compute as there are processors, until the function is called. */
export function burn(): () => void {
  const burners = Array.from({ length: 2 * availableParallelism() }, () =>
    // It ends by itself should the bench be killed.
    spawn("timeout", [String(MOST_SECONDS), "sh", "-c", "while :; do :; done"], { stdio: "ignore", detached: true }),
  );
  return () => {
    for (const { pid } of burners) if (pid !== undefined) process.kill(-pid, "SIGKILL");
  };
}
