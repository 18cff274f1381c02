// SPDX-License-Identifier: Apache-2.0

/** Where the entries of a list were replaced, so that of very many none has to be looked at that is the same. */
export interface Changes {
  /** To be kept by whoever reads the list now, and asked with later. */
  readonly mark: number;
  /** Places that were replaced since then; undefined: that is not known any more. */
  since(mark: number): ReadonlySet<number> | undefined;
}

export interface ChangeLog extends Changes {
  replaced(place: number): void;
  /** Entries have come or gone. */
  moved(): void;
}

/** Whoever is further behind looks at all of them. */
const MOST = 4_096;

export function createChanges(most = MOST): ChangeLog {
  let places: number[] = [];
  /** The mark before the first of them. */
  let from = 0;
  const forget = (): void => {
    from += places.length + 1;
    places = [];
  };
  return {
    get mark() {
      return from + places.length;
    },
    since: (mark) => (mark < from ? undefined : new Set(places.slice(mark - from))),
    replaced: (place) => {
      if (places.length === most) forget();
      places.push(place);
    },
    moved: forget,
  };
}
