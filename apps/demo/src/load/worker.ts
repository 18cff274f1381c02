// SPDX-License-Identifier: Apache-2.0
// The load generator's own process. Told by its parent what to send where; reports its tally four times a second.
import type { Target } from "./client.ts";
import { Tally } from "./tally.ts";
import { startTraffic, type Mix } from "./traffic.ts";

export type ToWorker = { type: "start"; targets: Target[]; mix: Mix } | { type: "stop" };

const REPORT_MS = 250;

const tally = new Tally();
let stopTraffic: (() => Promise<void>) | undefined;

const report = (final: boolean): void => {
  process.send?.({ final, tally: tally.snapshot() }, undefined, undefined, () => {
    if (final) process.disconnect();
  });
};

process.on("message", (message: ToWorker) => {
  if (message.type === "start") {
    stopTraffic = startTraffic(message.targets, message.mix, tally);
    setInterval(report, REPORT_MS, false).unref();
  } else {
    void (stopTraffic?.() ?? Promise.resolve()).then(() => report(true));
  }
});
// Ctrl-C reaches the whole process group; the parent decides when the traffic ends. Without a parent there is no purpose.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit(0));
