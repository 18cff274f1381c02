// SPDX-License-Identifier: Apache-2.0
// holder.ts DIR COUNT: an owner with so many UDP sockets, which nobody reads: a socket that is read takes a second
// descriptor, and 20,000 of them are more than many a limit allows.
import { chmodSync, mkdirSync } from "node:fs";
import { DatagramSlot } from "../../../packages/fd-transfer/src/datagram.ts";
import { Holdings } from "../../../packages/fd-transfer/src/holdings.ts";
import { OldSide } from "../../../packages/fd-transfer/src/old-side.ts";
import { Lineage } from "../../../packages/fd-transfer/src/ownership.ts";
import { DEFAULT_TIMEOUTS } from "../../../packages/fd-transfer/src/protocol/limits.ts";

const [dir = "", count = "1"] = process.argv.slice(2);
mkdirSync(dir, { mode: 0o700 });
chmodSync(dir, 0o700);
const holdings = new Holdings();
const lineage = Lineage.tryAcquire(dir);
if (lineage === null) throw new Error(`${dir} has an owner`);
holdings.lineage = lineage;
const options = { port: 0, host: "127.0.0.1", receiveBytes: 0 };
for (let index = 0; index < Number(count); index++) holdings.addSlot(new DatagramSlot(`udp${index}`, options));
await holdings.bindAll(() => true);
const identity = {
  name: "many",
  dir,
  rank: { version: 0n, startedAt: process.hrtime.bigint() },
  token: undefined,
  mode: "user" as const,
};
const old = new OldSide(identity, DEFAULT_TIMEOUTS, holdings, {
  perform: () => undefined,
  ended: () => undefined,
  isServing: () => true,
  isLeaving: () => false,
  hasStandby: () => false,
  releaseStandby: () => undefined,
  asked: () => undefined,
  moves: (session) => session.close(),
  stopsAnswering: () => undefined,
});
old.publish(lineage.takeEpoch());
process.stdout.write("ready\n");
process.stdin.resume().once("end", () => process.exit());
