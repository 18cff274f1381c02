// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** 127.1.0.1 … 127.254.255.254: clear of 127.0.0.0/16, where other programs of the machine live. */
const SECOND = 254;
const THIRD = 256;
const FOURTH = 254;
const COUNT = SECOND * THIRD * FOURTH;

/**
 * A loopback address for a pod: the same uid gets the same address, unless a living pod has it; then the next free one.
 * Two clusters on one machine draw from 16 million addresses by the uids of their pods, so they need not know each other.
 */
export function allocateAddress(uid: string, taken: ReadonlySet<string>): string {
  const start = createHash("sha256").update(uid).digest().readUInt32BE(0);
  for (let i = 0; i < COUNT; i++) {
    const address = addressAt((start + i) % COUNT);
    if (!taken.has(address)) return address;
  }
  throw new Error("all loopback addresses are taken");
}

function addressAt(index: number): string {
  const fourth = (index % FOURTH) + 1;
  const third = Math.floor(index / FOURTH) % THIRD;
  const second = Math.floor(index / FOURTH / THIRD) + 1;
  return `127.${second}.${third}.${fourth}`;
}

/** Throws when this machine does not take all of 127.0.0.0/8 as its own (macOS does not). */
export async function checkLoopback(): Promise<void> {
  const server = createServer();
  server.listen(0, addressAt(COUNT - 1));
  try {
    await once(server, "listening");
  } catch (error) {
    throw new Error(
      `this machine has no loopback addresses besides 127.0.0.1, which every pod needs one of; run it on Linux (${(error as Error).message})`,
      { cause: error },
    );
  }
  server.close();
  await once(server, "close");
}
