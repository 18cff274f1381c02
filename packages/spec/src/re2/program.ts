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
 * Whether the program matches anywhere in a text. All possibilities advance together, character by character, so the
 * time is at most steps × characters, whatever the pattern.
 */
export function runProgram(program: readonly Step[], text: string): boolean {
  const codes = Array.from(text).map((char) => char.codePointAt(0) ?? 0);
  let current = new Set<number>();
  for (let at = 0; ; at++) {
    current.add(0);
    if (reach(program, current, codes, at)) return true;
    const code = codes[at];
    if (code === undefined) return false;
    const next = new Set<number>();
    for (const index of current) {
      const step = program[index];
      if (step?.op === "read" && step.has(code)) next.add(index + 1);
    }
    current = next;
  }
}

/** Adds the steps that are reached without reading; true when one of them is the match. A Set visits what is added meanwhile. */
function reach(program: readonly Step[], steps: Set<number>, codes: readonly number[], at: number): boolean {
  for (const index of steps) {
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
