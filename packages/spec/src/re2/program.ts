// SPDX-License-Identifier: Apache-2.0
import { isWord } from "./char-class.ts";
import { Re2SyntaxError, type CharSet, type Place, type Re2Node } from "./syntax.ts";

/** One step of a matching machine: read a character, hold at a place, go on at one of several steps, or match. */
type Step =
  | { readonly op: "read"; readonly has: CharSet }
  | { readonly op: "at"; readonly place: Place }
  | { readonly op: "fork"; readonly to: number[] }
  | { readonly op: "match" };

/** Bounds time and memory: each character of a text costs at most this many steps. */
const MAX_STEPS = 20_000;

/** Step `n` goes on to `n + 1`, unless it is a fork. */
export function compileProgram(node: Re2Node): readonly Step[] {
  const steps: Step[] = [];
  const add = (step: Step): void => {
    if (steps.length >= MAX_STEPS) throw new Re2SyntaxError("is too large");
    steps.push(step);
  };
  const fork = (): number[] => {
    const to: number[] = [];
    add({ op: "fork", to });
    return to;
  };
  const emit = (part: Re2Node): void => {
    if (part.kind === "set") add({ op: "read", has: part.has });
    else if (part.kind === "place") add({ op: "at", place: part.place });
    else if (part.kind === "all") for (const item of part.items) emit(item);
    else if (part.kind === "any") emitAny(part.items);
    else emitRepeat(part);
  };
  const emitAny = (items: readonly Re2Node[]): void => {
    const branches = fork();
    const ends: number[][] = [];
    for (const item of items) {
      branches.push(steps.length);
      emit(item);
      ends.push(fork());
    }
    for (const end of ends) end.push(steps.length);
  };
  const emitRepeat = ({ item, least, most }: Extract<Re2Node, { kind: "repeat" }>): void => {
    for (let count = 0; count < least; count++) emit(item);
    if (most === Infinity) {
      const start = steps.length;
      const choice = fork();
      choice.push(steps.length);
      emit(item);
      fork().push(start);
      choice.push(steps.length);
      return;
    }
    const skips: number[][] = [];
    for (let count = least; count < most; count++) {
      const skip = fork();
      skip.push(steps.length);
      skips.push(skip);
      emit(item);
    }
    for (const skip of skips) skip.push(steps.length);
  };
  emit(node);
  add({ op: "match" });
  return steps;
}

/**
 * A test whether the program matches anywhere in a text. All possibilities advance together, character by character, so
 * the time is at most steps × characters, whatever the pattern.
 */
export function matcher(program: readonly Step[]): (text: string) => boolean {
  let [current, next] = [new StepList(program.length), new StepList(program.length)];
  return (text) => {
    const codes = Array.from(text, (char) => char.codePointAt(0) ?? 0);
    current.clear();
    for (let at = 0; ; at++) {
      current.add(0);
      if (reach(program, current, codes, at)) return true;
      const code = codes[at];
      if (code === undefined) return false;
      next.clear();
      read(program, current, code, next);
      [current, next] = [next, current];
    }
  };
}

function read(program: readonly Step[], steps: StepList, code: number, next: StepList): void {
  for (let place = 0; place < steps.size; place++) {
    const index = steps.at(place);
    const step = program[index];
    if (step?.op === "read" && step.has(code)) next.add(index + 1);
  }
}

/** A set of steps that is walked in the order of insertion, also while it grows; emptied at once. */
class StepList {
  size = 0;
  readonly #items: Uint16Array;
  readonly #placeOf: Uint16Array;

  constructor(steps: number) {
    this.#items = new Uint16Array(steps);
    this.#placeOf = new Uint16Array(steps);
  }

  add(step: number): void {
    const place = this.#placeOf[step] ?? 0;
    if (place < this.size && this.#items[place] === step) return;
    this.#placeOf[step] = this.size;
    this.#items[this.size++] = step;
  }

  at(place: number): number {
    return this.#items[place] ?? 0;
  }

  clear(): void {
    this.size = 0;
  }
}

/** Adds the steps that are reached without reading; true when one of them is the match. */
function reach(program: readonly Step[], steps: StepList, codes: readonly number[], at: number): boolean {
  for (let place = 0; place < steps.size; place++) {
    const index = steps.at(place);
    const step = program[index];
    if (step?.op === "match") return true;
    if (step?.op === "fork") for (const to of step.to) steps.add(to);
    else if (step?.op === "at" && holds(step.place, codes, at)) steps.add(index + 1);
  }
  return false;
}

const NEWLINE = 10;

function holds(place: Place, codes: readonly number[], at: number): boolean {
  const [before, after] = [codes[at - 1], codes[at]];
  if (place === "textBegin") return before === undefined;
  if (place === "textEnd") return after === undefined;
  if (place === "lineBegin") return before === undefined || before === NEWLINE;
  if (place === "lineEnd") return after === undefined || after === NEWLINE;
  const boundary = (before !== undefined && isWord(before)) !== (after !== undefined && isWord(after));
  return boundary === (place === "word");
}
