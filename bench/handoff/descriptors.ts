// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "../../packages/fd-transfer/src/native/addon.ts";

const PER_BATCH = 240;
const BYTE = Buffer.from("x");

/** Milliseconds of the fastest of some runs: so many descriptors over one connection, in batches, received and kept. */
export function passDescriptors(count: number, runs: number): number {
  const native = loadNative();
  const [from, to] = native.socketpair();
  const listener = native.listenTcp("127.0.0.1", 0, { backlog: 1 });
  const given = Array.from({ length: Math.min(count, PER_BATCH) }, () => native.dup(listener));
  let best = Infinity;
  for (let run = 0; run < runs; run++) {
    const taken: number[] = [];
    const start = performance.now();
    for (let left = count; left > 0; left -= PER_BATCH) {
      native.send(from, BYTE, given.slice(0, left));
      taken.push(...(native.recv(to, 16)?.fds ?? []));
    }
    best = Math.min(best, performance.now() - start);
    for (const fd of taken) native.close(fd);
    if (taken.length !== count) throw new Error(`${taken.length} of ${count} descriptors arrived`);
  }
  for (const fd of [from, to, listener, ...given]) native.close(fd);
  return best;
}
