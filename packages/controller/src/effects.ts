// SPDX-License-Identifier: Apache-2.0

/** Structured log; the shape of pino and, nearly, of console. */
export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/**
 * Takes one metric: its name with the prefix `hot_`, labels, and what to add (counters), to set (gauges) or to observe
 * (names that end in `_seconds`). `undefined`: the series of a gauge is gone.
 */
export type OnMetric = (name: string, labels: Readonly<Record<string, string>>, value: number | undefined) => void;

export const silent: Log = { info: () => undefined, warn: () => undefined };
