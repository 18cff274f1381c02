// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from "node:util";

export interface DemoOptions {
  /** Leave everything running at the end, and say how to look at it. */
  keep: boolean;
  /** Print the summary as one JSON line on standard output; all else goes to standard error. */
  json: boolean;
  help: boolean;
}

export const usage = `Usage: npm run demo -- [--keep] [--json]

Starts a cluster on this machine, injects a sidecar into four pods, sends live
traffic through it and upgrades it hot: v1 -> v2 -> v3, a broken v4 (aborted),
v5. Exit code 0 only if nothing failed.

  --keep   leave the cluster running afterwards and print how to look at it
           (Ctrl-C ends it)
  --json   print the summary as one JSON line, and nothing else on standard
           output (npm run --silent demo -- --json: npm prints there, too)
`;

/** Throws an Error whose message names the wrong argument. */
export function parseOptions(argv: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: argv.filter((word) => word !== "--"), // pnpm passes the separator on
    options: {
      keep: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  return values;
}
