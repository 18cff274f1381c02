// SPDX-License-Identifier: Apache-2.0

/** What the API is to be told about an event that it knows already. */
export interface Told {
  readonly key: string;
  readonly name: string;
  readonly namespace: string;
  /** How often it has happened, the first time included. */
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly lastAt: number;
}

export type SeriesStep = { readonly do: "create" | "nothing" } | ({ readonly do: "tell" } & Told);

/** Counts what repeats. */
export interface EventSeries {
  /** Whether another occurrence at `now` belongs to an event that exists. */
  isKnown(key: string, now: number): boolean;
  /** Another occurrence: what has to be written about it. */
  occurred(key: string, now: number): SeriesStep;
  /** The first occurrence is written. */
  created(key: string, name: string, namespace: string): void;
  /** It could not be written: the next occurrence is the first. */
  failed(key: string): void;
  /** Everything that has happened and was not told yet; afterwards it counts as told. */
  rest(): Told[];
}

interface Known {
  /** Absent until it is written. */
  written?: { readonly name: string; readonly namespace: string };
  count: number;
  told: number;
  lastAt: number;
  toldAt: number;
}

/** A series ends when nothing has happened for this long; the next occurrence is a new event. As upstream. */
const FINISHED_MS = 6 * 60_000;
/** A series that goes on is told about at most this often. */
const HEARTBEAT_MS = 60_000;
const MOST = 1_000;

/** In bounded memory: the series that was quiet the longest is forgotten first. */
export function createEventSeries(): EventSeries {
  const known = new Map<string, Known>();

  const goesOn = (one: Known | undefined, now: number): one is Known =>
    one !== undefined && now - one.lastAt < FINISHED_MS;

  const put = (key: string, one: Known): void => {
    known.delete(key);
    known.set(key, one);
    const [oldest] = known.keys();
    if (known.size > MOST && oldest !== undefined) known.delete(oldest);
  };

  return {
    isKnown: (key, now) => goesOn(known.get(key), now),
    occurred: (key, now) => {
      const one = known.get(key);
      if (!goesOn(one, now)) {
        put(key, { count: 1, told: 1, lastAt: now, toldAt: now });
        return { do: "create" };
      }
      put(key, one);
      one.count++;
      one.lastAt = now;
      // The second occurrence makes it a series, which is told at once.
      const isDue = one.told < 2 || now - one.toldAt >= HEARTBEAT_MS;
      if (one.written === undefined || !isDue) return { do: "nothing" };
      one.told = one.count;
      one.toldAt = now;
      return { do: "tell", key, ...one.written, count: one.count, lastAt: now };
    },
    created: (key, name, namespace) => {
      const one = known.get(key);
      if (one !== undefined) one.written = { name, namespace };
    },
    failed: (key) => void known.delete(key),
    rest: () =>
      [...known].flatMap(([key, one]) => {
        if (one.written === undefined || one.told === one.count) return [];
        one.told = one.count;
        return [{ key, ...one.written, count: one.count, lastAt: one.lastAt }];
      }),
  };
}
