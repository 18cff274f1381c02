// SPDX-License-Identifier: Apache-2.0

/** Somebody whose doings end when it dies, and wait while it is frozen. */
export interface Owner {
  dead: boolean;
  /** Virtual time in milliseconds until which nothing of it happens. */
  frozenUntil: number;
}

interface Entry {
  at: number;
  order: number;
  owner: Owner;
  run: (() => void) | undefined;
}

/** What happens to nobody's process: the network, users, the API server. Its steps wake no code that waits. */
export const NATURE: Owner = { dead: false, frozenUntil: 0 };

/**
 * Virtual time. Steps run one at a time, in order of their time and then of their asking; between two of them all
 * promises settle. So a run depends on nothing but the steps, and these on nothing but the seed.
 */
export class Scheduler {
  now: number;
  steps = 0;
  readonly #heap: Entry[] = [];
  #asked = 0;

  constructor(start: number) {
    this.now = start;
  }

  after(ms: number, owner: Owner, run: () => void): Disposable {
    const entry: Entry = { at: this.now + Math.max(0, ms), order: this.#asked++, owner, run };
    this.#push(entry);
    return {
      [Symbol.dispose]: () => {
        entry.run = undefined;
      },
    };
  }

  sleep(ms: number, owner: Owner): Promise<void> {
    return new Promise((resolve) => void this.after(ms, owner, resolve));
  }

  /** Runs until `isOver`, which is asked after each step, or until there is nothing to do. */
  async run(isOver: () => boolean): Promise<void> {
    await settled();
    for (let entry = this.#pop(); entry !== undefined; entry = this.#pop()) {
      const { owner, run } = entry;
      if (run === undefined || owner.dead) continue;
      this.now = Math.max(this.now, entry.at);
      if (owner.frozenUntil > this.now) {
        entry.at = owner.frozenUntil;
        this.#push(entry);
        continue;
      }
      this.steps++;
      run();
      if (owner !== NATURE) await settled();
      if (isOver()) return;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** No code under test uses anything else than promises, so one turn of the event loop settles them all. */
function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
