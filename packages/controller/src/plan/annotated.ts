// SPDX-License-Identifier: Apache-2.0
import { createAlike } from "./alike.ts";
import { sketchOf } from "./same-value.ts";
import { sharedText } from "./shared-values.ts";

type Texts = Readonly<Record<string, string>>;
type Entries = readonly (readonly [key: string, text: string])[];

/** What the texts of many pods have in common: by key, pieces of text and the numbers of the parts between them. */
type Shape = readonly (readonly [key: string, pieces: readonly (string | number)[]])[];

/** In which the annotations of pods of one template differ: times, and what a runtime calls its containers. */
const PART = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|[a-z-]+:\/\/[0-9a-f]{64}/g;
const PART_HERE = new RegExp(PART, "y");
/** No part is shorter. */
const SHORT = 20;
/** At the beginning of a longer text, where it says what it is about. */
const HEAD = 12;

const shapes = createAlike<Shape>(1_000);
const NONE: readonly string[] = [];

/** What was read last: a decision about a pod reads its annotations many times. */
let last: { readonly of: object; readonly annotations: Texts } | undefined;

/** Holds annotations so that it costs little, and makes them anew when they are read. */
class Annotated {
  readonly shape: Shape;
  readonly parts: readonly string[];

  constructor(entries: Entries, rest: object) {
    const { shape, parts } = split(entries);
    this.shape = shape;
    this.parts = parts.length === 0 ? NONE : parts.map(kept);
    Object.assign(this, rest);
  }

  get annotations(): Texts {
    if (last?.of !== this) last = { of: this, annotations: joined(this.shape, this.parts) };
    return last.annotations;
  }
}

/**
 * An object with annotations. What they have in common with those of other objects is kept once for all: an upgraded pod
 * has two kilobytes of them, of which a few hundred bytes are its own.
 */
export function annotated<T extends object>(annotations: Entries, rest: T): T & { readonly annotations: Texts } {
  return new Annotated(annotations, rest) as unknown as T & { readonly annotations: Texts };
}

function joined(shape: Shape, parts: readonly string[]): Texts {
  const texts: Record<string, string> = {};
  for (const [key, pieces] of shape) {
    let text = "";
    for (const piece of pieces) text += typeof piece === "number" ? (parts[piece] ?? "") : piece;
    texts[key] = text;
  }
  return texts;
}

/** By a shape that is known, if there is one. */
function split(entries: Entries): { readonly shape: Shape; readonly parts: readonly string[] } {
  const sketch = sketchOfHeads(entries);
  for (const shape of shapes.of(sketch)) {
    const parts = partsBy(shape, entries);
    if (parts !== undefined) return { shape, parts };
  }
  const parts: string[] = [];
  const shape = entries.map(([key, text]) => [key, piecesOf(text, parts)] as const);
  shapes.add(sketch, shape);
  return { shape, parts };
}

function sketchOfHeads(entries: Entries): number {
  let sketch = entries.length;
  for (const [, text] of entries) {
    sketch = sketchOf(text.length < SHORT ? text : text.slice(0, HEAD), sketch + text.length);
  }
  return sketch;
}

/** The parts with which a shape gives exactly these texts; undefined when there are none. */
function partsBy(shape: Shape, entries: Entries): string[] | undefined {
  if (shape.length !== entries.length) return undefined;
  const parts: string[] = [];
  for (const [at, [key, pieces]] of shape.entries()) {
    const entry = entries[at];
    if (entry?.[0] !== key || !isOf(pieces, entry[1], parts)) return undefined;
  }
  return parts;
}

/** @param parts those before; those of this text are added */
function isOf(pieces: readonly (string | number)[], text: string, parts: string[]): boolean {
  let from = 0;
  for (const piece of pieces) {
    const known = typeof piece === "number" ? parts[piece] : piece;
    if (known !== undefined) {
      if (!text.startsWith(known, from)) return false;
      from += known.length;
    } else {
      PART_HERE.lastIndex = from;
      if (!PART_HERE.test(text)) return false;
      parts.push(text.slice(from, PART_HERE.lastIndex));
      from = PART_HERE.lastIndex;
    }
  }
  return from === text.length;
}

function piecesOf(text: string, parts: string[]): (string | number)[] {
  const pieces: (string | number)[] = [];
  let from = 0;
  for (const { 0: part, index } of text.matchAll(PART)) {
    const known = parts.indexOf(part);
    const at = known >= 0 ? known : parts.push(part) - 1;
    if (index > from) pieces.push(text.slice(from, index));
    pieces.push(at);
    from = index + part.length;
  }
  if (from < text.length) pieces.push(text.slice(from));
  return pieces;
}

/** Pods that change in the same second share it; a container is only one pod's. */
function kept(part: string): string {
  const isTime = !part.includes("://");
  return isTime ? sharedText(copyOf(part)) : copyOf(part);
}

/** A part of a text keeps the whole of it alive. */
function copyOf(part: string): string {
  return Buffer.from(part, "latin1").toString("latin1");
}
