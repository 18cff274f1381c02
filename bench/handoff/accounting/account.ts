// SPDX-License-Identifier: Apache-2.0
import { Samples, type Gap, type Quantiles } from "./samples.ts";
import { insideOf, type Window } from "./windows.ts";

/**
 * How an exchange failed. `refused`: nobody listened. `reset`, `ended`: the connection was cut after the request had been
 * sent. `timeout`: no whole answer in time. `status`: not 200. `content`: other bytes than expected. `client`: the load
 * client's own trouble, such as no free port.
 */
export type ErrorKind = "refused" | "reset" | "ended" | "timeout" | "status" | "content" | "client";

/** What one class of traffic has seen. */
export interface ClassReport {
  /** Exchanges begun: requests, lines or datagrams. */
  readonly attempts: number;
  readonly successes: number;
  readonly errors: Partial<Record<ErrorKind, number>>;
  /** The first few, in words. */
  readonly examples: readonly string[];
  /** Connections that the server ended, announced or not, whether that cost anything or not. */
  readonly closed: number;
  readonly closedUnannounced: number;
  readonly inside: Quantiles;
  readonly outside: Quantiles;
  readonly longestGap: Gap;
  readonly longestGapInside: Gap;
  /** For each moment that was asked about: to the first success that began after it. */
  readonly recoveryMs: readonly number[];
  /** Which processes answered. */
  readonly generations: readonly string[];
  /** Errors that happened inside of a window. */
  readonly errorsInside: number;
  readonly extra: Readonly<Record<string, number>>;
}

const EXAMPLES = 8;

/** Counts what happens to one class of traffic. Every attempt ends as a success or as an error, once. */
export class Account {
  readonly #samples = new Samples();
  readonly #errors = new Map<ErrorKind, number>();
  readonly #errorTimes: number[] = [];
  readonly #examples: string[] = [];
  readonly #generations = new Set<string>();
  readonly extra: Record<string, number> = {};
  attempts = 0;
  closed = 0;
  closedUnannounced = 0;

  success(end: number, tookMs: number, generation = ""): void {
    this.#samples.add(end, tookMs);
    if (generation !== "") this.#generations.add(generation);
  }

  /** Several at once when they were lost together. */
  error(at: number, kind: ErrorKind, words: string, count = 1): void {
    if (count === 0) return;
    this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + count);
    this.#errorTimes.push(...Array.from({ length: count }, () => at));
    if (this.#examples.length < EXAMPLES) this.#examples.push(`at ${at.toFixed(0)}: ${kind}, ${words}`);
  }

  connectionClosed(announced: boolean): void {
    this.closed++;
    if (!announced) this.closedUnannounced++;
  }

  report(windows: readonly Window[], moments: readonly number[] = []): ClassReport {
    const isInside = insideOf(windows);
    return {
      attempts: this.attempts,
      successes: this.#samples.count,
      errors: Object.fromEntries(this.#errors),
      examples: this.#examples,
      closed: this.closed,
      closedUnannounced: this.closedUnannounced,
      ...this.#samples.quantiles(windows),
      longestGap: this.#samples.longestGap(),
      longestGapInside: this.#samples.longestGap(windows),
      recoveryMs: moments.map((moment) => this.#samples.recovery(moment)),
      generations: [...this.#generations],
      errorsInside: this.#errorTimes.toSorted((a, b) => a - b).filter((at) => isInside(at)).length,
      extra: this.extra,
    };
  }
}

/** All errors of a class, of the load client's own too. */
export function errorsOf({ errors }: Pick<ClassReport, "errors">): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}
