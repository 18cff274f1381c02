// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "../../packages/fd-transfer/src/native/addon.ts";

const PER_BATCH = 240;
/** What a frame says about one descriptor, about. */
const BYTES_PER_ITEM = 40;

/** Milliseconds for the system calls of a hand-over alone: sent in batches, received, each asked who it is, acknowledged. */
export function passThrough(count: number): number {
  const native = loadNative();
  const [from, to] = native.socketpair();
  // Each is there twice in the end, and 20,000 are more than many a limit allows: half of them go twice.
  const given = Array.from({ length: Math.ceil(count / 2) }, () => native.bindUdp("127.0.0.1", 0, { receiveBytes: 0 }));
  const all = Int32Array.from([...given, ...given].slice(0, count));
  const start = performance.now();
  const taken: number[] = [];
  for (let at = 0; at < count; at += PER_BATCH) {
    const batch = all.subarray(at, at + PER_BATCH);
    native.send(from, Buffer.alloc(batch.length * BYTES_PER_ITEM, 1), batch);
    const { fds } = native.recv(to, 65_536) ?? { fds: [] };
    native.identify(Int32Array.from(fds));
    taken.push(...fds);
    native.send(to, Buffer.from("ok"), []);
    native.recv(from, 16);
  }
  const ms = performance.now() - start;
  for (const fd of [from, to, ...given, ...taken]) native.close(fd);
  if (taken.length !== count) throw new Error(`${taken.length} of ${count} descriptors arrived`);
  return ms;
}
