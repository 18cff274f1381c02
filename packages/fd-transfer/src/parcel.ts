// SPDX-License-Identifier: Apache-2.0
import type { Holdings } from "./holdings.ts";
import { loadNative } from "./native/addon.ts";
import type { Word } from "./native/contract.ts";
import { OwnedFd } from "./native/owned-fd.ts";
import type { Lineage } from "./ownership.ts";
import { intoBatches } from "./protocol/batches.ts";
import type { FdItem, Message } from "./protocol/message.ts";
import { plainItem } from "./protocol/plain-item.ts";
import { WORD } from "./protocol/word.ts";

type Exported = ReturnType<Holdings["states"]["export"]>[number];

interface Passed {
  readonly item: FdItem;
  readonly fd: number;
  /** Made for this hand-over, and closed as soon as it is sent. */
  readonly memory?: OwnedFd;
}

/** What one hand-over passes on: L, WORD, the sockets and the state. */
export class Parcel {
  readonly epoch: bigint;
  readonly word: Word;
  /** In bytes, at most what WELCOME can say. */
  readonly stateBytes: number;
  readonly #batches: readonly (readonly Passed[])[];
  readonly #wordFd: OwnedFd;

  /** Takes the memory of the state, also when it throws: for want of a descriptor as a rule. */
  constructor(lineage: Lineage, sockets: ReturnType<Holdings["entries"]>, states: readonly Exported[]) {
    let wordFd: OwnedFd | null = null;
    try {
      const native = loadNative();
      wordFd = new OwnedFd(native.createWord(WORD.PREP));
      this.#wordFd = wordFd;
      this.word = native.mapWord(wordFd.fd);
      this.epoch = lineage.readEpoch();
      const sizes = states.map(({ memory }) => native.memorySize(memory.fd));
      this.stateBytes = Math.min(
        0xffff_ffff,
        sizes.reduce((sum, size) => sum + size, 0),
      );
      this.#batches = intoBatches<Passed>([
        { item: plainItem("lock"), fd: lineage.fd },
        { item: plainItem("word"), fd: wordFd.fd },
        ...sockets,
        ...states.map(({ item, memory }) => ({ item, fd: memory.fd, memory })),
      ]);
    } catch (error) {
      wordFd?.close();
      for (const { memory } of states) memory.close();
      throw error;
    }
  }

  get batches(): number {
    return this.#batches.length;
  }

  get count(): number {
    return this.#batches.reduce((sum, batch) => sum + batch.length, 0);
  }

  message(batch: number): Message {
    return { type: "FDS", batch, items: this.#of(batch).map(({ item }) => item) };
  }

  descriptors(batch: number): Int32Array {
    return Int32Array.from(this.#of(batch), ({ fd }) => fd);
  }

  /** A large state must not stay in memory for as long as this process stands by. */
  sent(batch: number): void {
    for (const { memory } of this.#of(batch)) memory?.close();
  }

  close(): void {
    for (let batch = 0; batch < this.batches; batch++) this.sent(batch);
    this.#wordFd.close();
  }

  #of(batch: number): readonly Passed[] {
    return this.#batches[batch] ?? [];
  }
}
