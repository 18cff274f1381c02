// SPDX-License-Identifier: Apache-2.0
import { shared, sharedText } from "./shared-values.ts";

type Texts = Readonly<Record<string, string>>;

/** What the texts of many pods have in common: by key, pieces of text and the numbers of the parts between them. */
type Shape = readonly (readonly [key: string, pieces: readonly (string | number)[]])[];

/** In which the annotations of pods of one template differ: times, and what a runtime calls its containers. */
const PART = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|[a-z-]+:\/\/[0-9a-f]{64}/g;

const shapes = shared<Shape>(1_000);
const NONE: readonly string[] = [];

/** What was read last: a decision about a pod reads its annotations many times. */
let last: { readonly of: object; readonly annotations: Texts } | undefined;

/** Holds annotations so that it costs little, and makes them anew when they are read. */
class Annotated {
  readonly shape: Shape;
  readonly parts: readonly string[];

  constructor(texts: Texts, rest: object) {
    const parts: string[] = [];
    const shape = Object.entries(texts).map(([key, text]) => [key, piecesOf(text, parts)] as const);
    this.shape = shapes(JSON.stringify(shape), () => shape);
    // A copy has no room left over for more.
    this.parts = parts.length === 0 ? NONE : parts.slice();
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
export function annotated<T extends object>(annotations: Texts, rest: T): T & { readonly annotations: Texts } {
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

function piecesOf(text: string, parts: string[]): (string | number)[] {
  const pieces: (string | number)[] = [];
  let from = 0;
  for (const { 0: part, index } of text.matchAll(PART)) {
    const known = parts.indexOf(part);
    const at = known >= 0 ? known : parts.push(isTime(part) ? sharedText(copyOf(part)) : copyOf(part)) - 1;
    if (index > from) pieces.push(text.slice(from, index));
    pieces.push(at);
    from = index + part.length;
  }
  if (from < text.length) pieces.push(text.slice(from));
  return pieces;
}

/** Pods that change in the same second share it; a container is only one pod's. */
function isTime(part: string): boolean {
  return !part.includes("://");
}

/** A part of a text keeps the whole of it alive. */
function copyOf(part: string): string {
  return Buffer.from(part, "latin1").toString("latin1");
}
