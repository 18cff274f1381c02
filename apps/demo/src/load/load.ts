// SPDX-License-Identifier: Apache-2.0
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Target } from "./client.ts";
import type { TallySnapshot } from "./tally.ts";
import type { Mix } from "./traffic.ts";
import type { ToWorker } from "./worker.ts";

export interface Load {
  /** The newest report, at most a quarter of a second old. */
  latest(): TallySnapshot | undefined;
  /** Lets every request end, then resolves with the final numbers. */
  stop(): Promise<TallySnapshot>;
  /** Ends the process at once. */
  kill(): void;
}

/** Starts the load generator as a process of its own, so that neither side slows the other one down. */
export function startLoad(targets: Target[], mix: Mix): Load {
  const beside = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./load/worker.js";
  const worker = fork(fileURLToPath(new URL(beside, import.meta.url)), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let latest: TallySnapshot | undefined;
  let final = false;
  worker.on("message", (message: { final: boolean; tally: TallySnapshot }) => {
    latest = message.tally;
    final = message.final;
  });
  const tell = (message: ToWorker): void => void worker.send(message);
  tell({ type: "start", targets, mix });
  return {
    latest: () => latest,
    stop: async () => {
      if (worker.connected) tell({ type: "stop" });
      if (worker.exitCode === null && worker.signalCode === null) await once(worker, "exit");
      if (!final || !latest) throw new Error(`the load generator ended early (exit code ${worker.exitCode})`);
      return latest;
    },
    kill: () => void worker.kill("SIGKILL"),
  };
}
