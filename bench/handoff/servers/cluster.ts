// SPDX-License-Identifier: Apache-2.0
// A cluster of one worker. With each SIGUSR2 a new worker is started; when it listens, the one before is disconnected.
import cluster, { type Worker } from "node:cluster";
import { fileURLToPath } from "node:url";
import { say } from "../../../packages/fd-transfer/test/fixtures/say.ts";
import { endWithParent } from "./end-with-parent.ts";

endWithParent();
const { DRAIN_MS = "4000" } = process.env;
cluster.setupPrimary({
  exec: fileURLToPath(new URL("node.ts", import.meta.url)),
  stdio: ["pipe", "inherit", "inherit", "ipc"],
});
let serving: Worker | null = null;
let version = 0;

function upgrade(): void {
  const next = cluster.fork({ VERSION: String(++version) });
  next.once("listening", () => {
    const before = serving;
    serving = next;
    before?.disconnect();
    setTimeout(() => before?.process.kill("SIGKILL"), Number(DRAIN_MS)).unref();
    say("upgraded");
  });
}

process.on("SIGUSR2", upgrade);
upgrade();
