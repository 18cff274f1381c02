// SPDX-License-Identifier: Apache-2.0
import type { Readable } from "node:stream";
import { TooLargeError } from "./response-body.ts";
import { takeTurns } from "./turns.ts";

/** What stands before the items of a list, as an API server writes lists of built-in kinds. */
export interface ListHead {
  kind?: string;
  apiVersion?: string;
}

/** The first item begins here, */
const FIRST = Buffer.from('"items":[{"metadata":{');
/** and here every other one. */
const NEXT = Buffer.from('},{"metadata":{');
/** Longer heads are not looked for. */
const MAX_HEAD = 4096;
/**
 * Reads the body of a list and hands over its items as they arrive, so that neither the text nor the objects of a page
 * are ever in memory as a whole. Returns the rest as text: a list with the items that were not handed over, at least the
 * last one. A body that is written in another way is the rest as a whole. No more than `limit` bytes are held at once.
 *
 * Other work gets its turn in between: a page of 500 pods takes many milliseconds.
 */
export async function readItems(
  body: Readable,
  limit: number,
  visit: (item: object, head: ListHead) => void,
  turns = takeTurns(),
): Promise<string> {
  const held = createHeld();
  let head: { readonly text: string; readonly value: ListHead } | undefined;
  /** Nothing (more) is handed over. */
  let whole = false;
  /** Wanted before anything more is handed over. */
  let pause = undefined as Promise<void> | undefined;

  /** Hands over what is complete, as long as the turn goes on; returns where the rest begins. */
  const take = (bytes: Buffer): number => {
    pause = undefined;
    if (whole) return 0;
    let from = 0;
    if (head === undefined) {
      const at = bytes.indexOf(FIRST);
      if (at === -1) {
        whole = bytes.length > MAX_HEAD;
        return 0;
      }
      from = at + FIRST.indexOf("{");
      const text = bytes.toString("utf8", 0, from);
      const value = parse(`${text}]}`);
      whole = value === undefined;
      if (value === undefined) return 0;
      head = { text, value };
    }
    for (; pause === undefined; pause = turns.pause()) {
      const at = bytes.indexOf(NEXT, from);
      if (at === -1) break;
      // A complete value is no beginning of another one: what can be parsed is the item.
      const item = parse(bytes.toString("utf8", from, at + 1));
      whole = item === undefined;
      if (item === undefined) break;
      visit(item, head.value);
      from = at + NEXT.indexOf("{");
    }
    return from;
  };

  for await (const chunk of body as AsyncIterable<Buffer>) {
    held.add(chunk);
    if (held.bytes().length > limit)
      throw new TooLargeError(`the answer has more than ${limit} bytes that are not read item by item`);
    for (;;) {
      held.drop(take(held.bytes()));
      if (pause === undefined) break;
      await pause;
    }
  }
  return (head?.text ?? "") + held.bytes().toString("utf8");
}

/** Bytes that are not done with, one after the other, in memory that is used again. */
function createHeld(): { add(chunk: Buffer): void; bytes(): Buffer; drop(count: number): void } {
  let memory = Buffer.allocUnsafeSlow(128 * 1024);
  let [begin, end] = [0, 0];
  return {
    add: (chunk) => {
      const length = end - begin;
      const more = length + chunk.length;
      const to = more > memory.length ? Buffer.allocUnsafeSlow(2 * more) : memory;
      memory.copy(to, 0, begin, end);
      chunk.copy(to, length);
      memory = to;
      [begin, end] = [0, more];
    },
    bytes: () => memory.subarray(begin, end),
    drop: (count) => {
      begin += count;
    },
  };
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
