// SPDX-License-Identifier: Apache-2.0
import { insideOf, touches, type Window } from "./windows.ts";

/** Of latencies, in milliseconds; NaN when there is none. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Gap {
  readonly ms: number;
  /** When it began. */
  readonly from: number;
}

/** When each success ended and how long it took: 12 bytes each, because there are millions. In order of their ends. */
export class Samples {
  #ends = new Float64Array(1024);
  #tookMs = new Float32Array(1024);
  count = 0;

  add(end: number, tookMs: number): void {
    if (this.count === this.#ends.length) {
      this.#ends = grown(this.#ends, new Float64Array(this.count * 2));
      this.#tookMs = grown(this.#tookMs, new Float32Array(this.count * 2));
    }
    this.#ends[this.count] = end;
    this.#tookMs[this.count++] = tookMs;
  }

  /** Latencies of what ended inside of the windows, and of the rest. */
  quantiles(windows: readonly Window[]): { inside: Quantiles; outside: Quantiles } {
    const isInside = insideOf(windows);
    const inside: number[] = [];
    const outside: number[] = [];
    for (let index = 0; index < this.count; index++) {
      (isInside(this.#end(index)) ? inside : outside).push(this.#took(index));
    }
    return { inside: quantilesOf(inside), outside: quantilesOf(outside) };
  }

  /** The longest time without a success between two of them; with windows, of the gaps that touch one. */
  longestGap(windows?: readonly Window[]): Gap {
    let longest: Gap = { ms: 0, from: this.count === 0 ? 0 : this.#end(0) };
    for (let index = 1; index < this.count; index++) {
      const [from, to] = [this.#end(index - 1), this.#end(index)];
      if (to - from > longest.ms && (windows === undefined || touches(windows, { from, to }))) {
        longest = { ms: to - from, from };
      }
    }
    return longest;
  }

  /** From this moment to the first success that began after it; NaN when there was none. */
  recovery(moment: number): number {
    let first = Number.NaN;
    for (let index = this.count - 1; index >= 0 && this.#end(index) > moment; index--) {
      if (this.#end(index) - this.#took(index) >= moment) first = this.#end(index) - moment;
    }
    return first;
  }

  #end(index: number): number {
    return this.#ends[index] as number;
  }

  #took(index: number): number {
    return this.#tookMs[index] as number;
  }
}

export function quantilesOf(all: readonly number[]): Quantiles {
  const sorted = Float64Array.from(all).sort();
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

function grown<A extends Float32Array | Float64Array>(old: A, larger: A): A {
  larger.set(old);
  return larger;
}
