// SPDX-License-Identifier: Apache-2.0
import { createAlike } from "./alike.ts";
import { mixed } from "./same-value.ts";
import { copyOf, LARGEST, sharedText } from "./shared-values.ts";

type Texts = Readonly<Record<string, string>>;
type Entries = readonly (readonly [key: string, text: string])[];

/** What the texts of many pods have in common. */
interface Shape {
  /** By key, pieces of text and the numbers of the parts between them. */
  readonly texts: readonly (readonly [key: string, pieces: readonly (string | number)[]])[];
  /** How long each part is. */
  readonly lengths: readonly number[];
}

/**
 * In which the annotations of pods of one template differ: times, and what a runtime calls its containers. It looks for a
 * runtime only where a word begins, or a long word would be walked over from each of its letters.
 */
const PART = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|(?<![a-z-])[a-z-]+:\/\/[0-9a-f]{64}/g;
/** Of a time; no part is shorter. */
const SHORT = 20;
/** At the beginning of a longer text, where it says what it is about. */
const HEAD = 12;

const shapes = createAlike<Shape>(1_000);
const NONE: readonly string[] = [];

/** What was read last: a decision about a pod reads its annotations many times. */
let last: { readonly of: object; readonly annotations: Texts } | undefined;

/**
 * An object with annotations, which it makes anew when they are read. What they have in common with those of other
 * objects is kept once for all: an upgraded pod has two kilobytes of them, of which a few hundred bytes are its own.
 */
export class Annotated {
  readonly shape: Shape;
  readonly parts: readonly string[];

  constructor(entries: Entries) {
    const { shape, parts } = split(entries);
    this.shape = shape;
    this.parts = parts.length === 0 ? NONE : parts.map(kept);
  }

  get annotations(): Texts {
    if (last?.of !== this) last = { of: this, annotations: joined(this.shape, this.parts) };
    return last.annotations;
  }
}

function joined({ texts }: Shape, parts: readonly string[]): Texts {
  const all: Record<string, string> = {};
  for (const [key, pieces] of texts) {
    let text = "";
    for (const piece of pieces) text += typeof piece === "number" ? (parts[piece] ?? "") : piece;
    all[key] = text;
  }
  return all;
}

/** By a shape that is known, if there is one. */
function split(entries: Entries): { readonly shape: Shape; readonly parts: readonly string[] } {
  const sketch = sketchOfHeads(entries);
  for (const shape of shapes.of(sketch)) {
    const parts = partsBy(shape, entries);
    if (parts !== undefined) return { shape, parts };
  }
  const places = new Map<string, number>();
  const texts = entries.map(([key, text]) => [key, piecesOf(text, places)] as const);
  const parts = [...places.keys()];
  const shape = { texts, lengths: parts.map(({ length }) => length) };
  if (entries.reduce((sum, [, text]) => sum + text.length, 0) <= LARGEST) shapes.add(sketch, shape);
  return { shape, parts };
}

function sketchOfHeads(entries: Entries): number {
  let sketch = entries.length;
  for (const [, text] of entries) {
    sketch = mixed(sketch, text.length);
    const end = text.length < SHORT ? text.length : HEAD;
    for (let at = 0; at < end; at++) sketch = mixed(sketch, text.charCodeAt(at));
  }
  return sketch;
}

/** The parts with which a shape gives exactly these texts; undefined when there are none. */
function partsBy({ texts, lengths }: Shape, entries: Entries): string[] | undefined {
  if (texts.length !== entries.length) return undefined;
  const parts: string[] = [];
  for (let at = 0; at < texts.length; at++) {
    const [shape, entry] = [texts[at], entries[at]];
    if (shape === undefined || entry === undefined || shape[0] !== entry[0]) return undefined;
    if (!isOf(shape[1], lengths, entry[1], parts)) return undefined;
  }
  return parts;
}

/**
 * Whatever stands in the place of a part is the part: only the whole text counts.
 *
 * @param parts those before; those of this text are added
 */
function isOf(pieces: readonly (string | number)[], lengths: readonly number[], text: string, parts: string[]) {
  let from = 0;
  for (const piece of pieces) {
    const known = typeof piece === "number" ? parts[piece] : piece;
    if (known !== undefined) {
      if (!text.startsWith(known, from)) return false;
      from += known.length;
    } else {
      const begin = from;
      from += lengths[parts.length] ?? 0;
      parts.push(text.slice(begin, from));
    }
  }
  return from === text.length;
}

/** @param places of the parts before; those of this text are added */
function piecesOf(text: string, places: Map<string, number>): (string | number)[] {
  const pieces: (string | number)[] = [];
  let from = 0;
  for (const { 0: part, index } of text.matchAll(PART)) {
    const at = places.get(part) ?? places.size;
    places.set(part, at);
    if (index > from) pieces.push(text.slice(from, index));
    pieces.push(at);
    from = index + part.length;
  }
  if (from < text.length) pieces.push(text.slice(from));
  return pieces;
}

/** Pods that change in the same second share it; a container is only one pod's. */
function kept(part: string): string {
  return part.length === SHORT ? sharedText(part) : copyOf(part);
}
