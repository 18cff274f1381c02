// SPDX-License-Identifier: Apache-2.0
import type { UpdateStrategy } from "@hot/spec";
import type { PodFacts } from "./decision.ts";
import { kindOf } from "./kind.ts";
import type { Place } from "./select-pods.ts";
import type { Lacking, Tally } from "./tally.ts";

/** What is known of a pod; nothing of one that is aside. */
export interface Entry {
  readonly place: Place;
  readonly facts: PodFacts | undefined;
}

/** Keeps what is known of the pods of a list, by their places in it, and counts those that are of one kind. */
export interface Roll {
  at(index: number): Entry;
  set(index: number, entry: Entry, strategy: UpdateStrategy | undefined): void;
  /** Forgets those from `first` to before `end`; so many that nothing is known of are there instead. */
  replace(first: number, end: number, count: number): void;
  /** Places of the pods that are looked at one by one, lingering ones among them. */
  telling(): number[];
  tally(): Tally;
}

/** Marks of pods; the greater ones are kinds of matched pods. */
const ASIDE = 0;
const LINGERING = 1;
/** Lacks containers. */
const LACKING = 2;
const LACKING_LINGERING = 3;
const TELLING = 4;
const MOST_MARKS = 256;
/** By mark; all others are matched. */
const PLACES: readonly Place[] = ["aside", "lingering", "lacking", "lackingLingering"];

export function createRoll(): Roll {
  let known: (PodFacts | undefined)[] = [];
  // A byte for each pod: however many they are, all are walked over in no time.
  let marks = new Uint8Array(0);
  const kinds = new Map<string, number>();
  const counts = new Uint32Array(MOST_MARKS);
  const versions = new Map<bigint, number>();

  const markOf = ({ place, facts }: Entry, strategy: UpdateStrategy | undefined): number => {
    if (facts === undefined) return ASIDE;
    if (place !== "matched") return PLACES.indexOf(place);
    const kind = kindOf(facts, strategy);
    if (kind === undefined) return TELLING;
    const mark = kinds.get(kind) ?? TELLING + 1 + kinds.size;
    if (mark >= MOST_MARKS) return TELLING;
    kinds.set(kind, mark);
    return mark;
  };

  const count = (index: number, change: 1 | -1): void => {
    const mark = marks[index] ?? ASIDE;
    counts[mark] = (counts[mark] ?? 0) + change;
    const { version } = known[index] ?? {};
    if (mark < TELLING || version === undefined) return;
    const others = (versions.get(version) ?? 0) + change;
    if (others === 0) versions.delete(version);
    else versions.set(version, others);
  };

  const placesOf = (mark: number): number[] => {
    const places: number[] = [];
    if (counts[mark] === 0) return places;
    for (let at = marks.indexOf(mark); at >= 0; at = marks.indexOf(mark, at + 1)) places.push(at);
    return places;
  };

  const factsOf = (mark: number): PodFacts[] => placesOf(mark).flatMap((at) => known[at] ?? []);

  const lacking = (): Lacking => {
    const first = [LACKING, LACKING_LINGERING].map((mark) => marks.indexOf(mark)).find((at) => at >= 0);
    const pod = first === undefined ? undefined : known[first]?.pod;
    return { count: (counts[LACKING] ?? 0) + (counts[LACKING_LINGERING] ?? 0), ...(pod && { first: pod }) };
  };

  return {
    at: (index) => {
      const mark = marks[index] ?? ASIDE;
      return { facts: known[index], place: PLACES[mark] ?? "matched" };
    },
    set: (index, entry, strategy) => {
      count(index, -1);
      known[index] = entry.facts;
      marks[index] = markOf(entry, strategy);
      count(index, 1);
    },
    replace: (first, end, room) => {
      for (let index = first; index < end; index++) count(index, -1);
      const after = marks.subarray(end);
      known = known.slice(0, first).concat(
        Array.from({ length: room }, () => undefined),
        known.slice(end),
      );
      const moved = new Uint8Array(first + room + after.length);
      moved.set(marks.subarray(0, first));
      moved.set(after, first + room);
      marks = moved;
      counts[ASIDE] = (counts[ASIDE] ?? 0) + room;
    },
    telling: () => [TELLING, LINGERING, LACKING_LINGERING].flatMap(placesOf),
    tally: () => ({
      telling: factsOf(TELLING),
      lingering: [LINGERING, LACKING_LINGERING].flatMap(factsOf),
      lacking: lacking(),
      groups: [...kinds.values()].flatMap((mark) => {
        const facts = (counts[mark] ?? 0) > 0 ? known[marks.indexOf(mark)] : undefined;
        return facts === undefined ? [] : { facts, count: counts[mark] ?? 0 };
      }),
      all: () =>
        known.filter((facts, index): facts is PodFacts => facts !== undefined && (marks[index] ?? ASIDE) >= TELLING),
      isAhead: (seen) => [...versions.keys()].some((version) => version > seen),
    }),
  };
}
