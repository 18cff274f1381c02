// SPDX-License-Identifier: Apache-2.0
// pnpm bench handoff [--upgrades 100] [--peers a,b|all|none] [--peer-upgrades 10] [--trials 30] [--rate 2000] [--overload] [--quick]
// What an upgrade costs the clients, ours and others' side by side.
import { Console } from "node:console";
import { availableParallelism, loadavg, release } from "node:os";
import { parseArgs } from "node:util";
import { barTable } from "./accounting/bar.ts";
import { lossRow, type PeerResult } from "./accounting/peers-table.ts";
import { markdown } from "./accounting/table.ts";
import { barOf } from "./bar-of.ts";
import type { Amounts } from "./client/traffic.ts";
import { passDescriptors } from "./descriptors.ts";
import { PEERS } from "./peers/all.ts";
import { moves, type Moves } from "./moves.ts";
import { hot } from "./peers/hot.ts";
import { recoveries, type Blow, type Recoveries } from "./recovery.ts";
import { runUpgrades, type PeerRun, type Plan } from "./side-by-side.ts";

const { values } = parseArgs({
  options: {
    /** Of ours alone, under the most traffic; 0 = without this part. */
    upgrades: { type: "string", default: "100" },
    peers: { type: "string", default: "all" },
    "peer-upgrades": { type: "string", default: "10" },
    /** Blows of each kind at the new process, and three for each time that all connections move; 0 = without this part. */
    trials: { type: "string", default: "30" },
    /** Every tenth upgrade of ours with twice as many busy processes as processors. */
    overload: { type: "boolean", default: false },
    /** New connections each second. */
    rate: { type: "string", default: "2000" },
    quick: { type: "boolean", default: false },
  },
});
const { quick } = values;
const count = (asked: string, most: number): number => Math.min(Number(asked), quick ? most : Infinity);
const rate = Number(values.rate);
const sideBySide: Amounts = { new: rate, ka: 40, idle: 200, echo: 100, slow: 10, udp: 0, tls: 0 };
const alone: Amounts = { new: rate, ka: 40, idle: 1_000, echo: 500, slow: 10, udp: 10_000, tls: 20 };
const plan: Plan = { upgrades: count(values["peer-upgrades"], 2), everyMs: 5_000, overloadEvery: 0, drainMs: 4_000 };
// Shorter than a response of 3 s: three generations are alive.
const ownPlan: Plan = {
  upgrades: count(values.upgrades, 5),
  everyMs: 2_500,
  overloadEvery: values.overload ? 10 : 0,
  drainMs: 25_000,
};
const trials = count(values.trials, 3);
const names = PEERS.map(({ name }) => name);
const wanted = values.peers === "all" ? names : values.peers === "none" ? [] : values.peers.split(",");
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) throw new RangeError(`--peers ${unknown.join(",")}: there are ${names.join(", ")}`);

const out = new Console(process.stdout);
const tell = (what: string): boolean => process.stderr.write(`${what} (load average ${loadavg()[0]?.toFixed(1)})\n`);
const began = loadavg().map((one) => one.toFixed(1));

const results: PeerResult[] = [];
const peers = new Map<string, PeerRun>();
for (const peer of PEERS.filter(({ name }) => wanted.includes(name))) {
  const absent = peer.absent();
  tell(`${peer.title}${absent === null ? "" : `: ${absent}`}`);
  if (absent !== null) {
    results.push({ title: peer.title, absent });
    continue;
  }
  try {
    const run = await runUpgrades(peer, sideBySide, plan);
    peers.set(peer.name, run);
    results.push(run);
    tellErrors(run);
  } catch (error) {
    tell(String(error));
    results.push({ title: peer.title, absent: "failed" });
  }
}

tell(`${hot.title}, ${ownPlan.upgrades} upgrades`);
const own = ownPlan.upgrades === 0 ? undefined : await runUpgrades(hot, alone, ownPlan);
if (own !== undefined) {
  results.push({ ...own, title: `${hot.title}, more of everything` });
  tellErrors(own);
}

const moved: Moves[] = [];
for (const [kind, connections] of trials === 0
  ? []
  : ([
      ["idle", 1_000],
      ["echo", 500],
    ] as const)) {
  tell(`${connections} ${kind} connections move`);
  moved.push(await moves(kind, connections, Math.ceil(trials / 3)));
}

const blows: Blow[] = (["SIGKILL", "SIGSTOP"] as const).flatMap((signal) => [
  { signal, when: "guard" },
  { signal, when: "later" },
]);
const struck: Recoveries[] = [];
for (const blow of trials === 0 ? [] : blows) {
  tell(`${blow.signal}, ${blow.when}`);
  struck.push(await recoveries(blow, trials));
}

const descriptorsMs = [passDescriptors(250, 30), passDescriptors(10_000, 30)] as const;
const machine = `${availableParallelism()} processors, Linux ${release()}, Node ${process.version}`;
out.log(`\n${machine}; load average ${began.join(" ")} at the begin, ${loadavg()[0]?.toFixed(1)} at the end\n`);
if (results.length > 0) out.log(`${markdown(results.map(lossRow))}\n`);
out.log(markdown(barTable(barOf({ peers, own, ownAmounts: alone, recoveries: struck, moves: moved, descriptorsMs }))));

/** An error is explained at once, with its time. */
function tellErrors({ load }: PeerRun): void {
  for (const [name, { examples }] of Object.entries(load.classes)) {
    for (const example of examples) process.stderr.write(`  ${name} ${example}\n`);
  }
}
