// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";

/** Ticks of /proc/PID/stat are hundredths of a second on every Linux that matters. */
const TICK_MS = 10;

/** Milliseconds of processor time that each process has used so far. */
export function processorTime(pids: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, ofProcess(pid)]));
}

function ofProcess(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name may hold spaces; after its bracket come the fields from the third on.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
