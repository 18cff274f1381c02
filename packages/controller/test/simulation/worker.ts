// SPDX-License-Identifier: Apache-2.0
import { parentPort, workerData } from "node:worker_threads";
import { plant } from "./plant.ts";

/** Runs the seeds that it is asked for, with a bug planted in the controller's code if it was given one. */
const { bug } = workerData as { bug?: string };
if (bug !== undefined) plant(bug);
const { simulate } = await import("./simulate.ts");

parentPort?.on("message", (seed: number) => {
  void simulate(seed).then((outcome) => parentPort?.postMessage(outcome, []));
});
