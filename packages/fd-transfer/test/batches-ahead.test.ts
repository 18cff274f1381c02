// SPDX-License-Identifier: Apache-2.0
// Two processes work at the same time: while one looks at a batch of descriptors, the other encodes the next one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { DatagramSlot } from "../src/datagram.ts";
import { Holdings } from "../src/holdings.ts";
import { loadNative } from "../src/native/addon.ts";
import type { Identity } from "../src/new-side.ts";
import { OldSide } from "../src/old-side.ts";
import { Lineage } from "../src/ownership.ts";
import { DEFAULT_TIMEOUTS } from "../src/protocol/limits.ts";
import type { FdItem, Message } from "../src/protocol/message.ts";
import { MAX_BATCH } from "../src/protocol/message.ts";
import { SPOKEN } from "../src/protocol/version.ts";
import { Session } from "../src/session.ts";

/** Its item tells how often it was read. */
class WatchedSlot extends DatagramSlot {
  reads = 0;

  override describe(): FdItem {
    const read = (): string => {
      this.reads++;
      return "";
    };
    return Object.defineProperty({ ...super.describe() }, "ifname", { get: read });
  }
}

/** An owner with so many sockets, each of a batch of its own length. */
async function own(count: number): Promise<{ readonly slots: readonly WatchedSlot[]; readonly dir: string }> {
  const dir = mkdtempSync(join(tmpdir(), "hft-"));
  const holdings = new Holdings();
  holdings.lineage = Lineage.tryAcquire(dir);
  const slots = Array.from(
    { length: count },
    (_, index) => new WatchedSlot(`udp${index}`, { port: 0, host: "127.0.0.1" }),
  );
  for (const slot of slots) holdings.addSlot(slot);
  await holdings.bindAll(() => true);
  const rank = { version: 0n, startedAt: 0n };
  const identity: Identity = { name: "many", dir, rank, token: undefined, mode: "user" };
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
  old.publish(1n);
  onTestFinished(() => {
    old.close();
    holdings.letGo();
    rmSync(dir, { recursive: true });
  });
  return { slots, dir };
}

test("while the new side looks at a batch the next one is encoded, and none after it", async () => {
  // L and WORD are in the first batch as well.
  const { slots, dir } = await own(3 * MAX_BATCH - 2);
  const [first, second, third] = [slots[0], slots[MAX_BATCH], slots.at(-1)];
  const reads = (): unknown[] => [first, second, third].map((slot) => slot?.reads);
  const seen: unknown[] = [];
  await new Promise<void>((resolve) => {
    const session = new Session(loadNative().connectSeqpacket(join(dir, "owner.sock")), {
      message: (message, fds) => {
        for (const fd of fds) fd.close();
        if (message.type !== "FDS") return;
        seen.push(reads());
        if (message.batch === 2) resolve();
        else session.send({ type: "FDS_ACK", batch: message.batch, count: message.items.length, ok: true, reason: "" });
      },
      eof: resolve,
      broken: () => resolve(),
    });
    onTestFinished(() => session.close());
    const nothing = new Uint8Array();
    const hello: Message = {
      type: "HELLO",
      ...SPOKEN,
      name: "many",
      epochKnown: 0n,
      version: 0n,
      startedAt: 1n,
      uid: 0,
      nonce: nothing,
      mac: nothing,
      caps: 0,
    };
    session.send(hello);
  });
  // Once when they are cut into batches, once when they are encoded.
  expect(seen).toEqual([
    [2, 2, 1],
    [2, 2, 2],
    [2, 2, 2],
  ]);
});
