// SPDX-License-Identifier: Apache-2.0
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readItems } from "../src/list-items.ts";
import { TooLargeError } from "../src/response-body.ts";
import { takeTurns } from "../src/turns.ts";

const HEAD = { kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: "7", continue: "t" } };
const pod = (name: string, rest: object = {}): object => ({ metadata: { name }, ...rest });

/** Items that were handed over, and what was left; the body comes in parts of `size` bytes. */
async function read(body: string, size = body.length): Promise<{ given: object[]; heads: object[]; rest: string }> {
  const bytes = Buffer.from(body);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
  const [given, heads] = [[] as object[], [] as object[]];
  const rest = await readItems(Readable.from(parts), 1_000_000, (item, head) => {
    given.push(item);
    heads.push(head);
  });
  return { given, heads, rest };
}

async function readAll(body: string, size?: number): Promise<object> {
  const { given, rest } = await read(body, size);
  const list = JSON.parse(rest) as { items: object[] };
  return { ...list, items: [...given, ...list.items] };
}

const ITEMS = [
  pod("a"),
  pod("b", { spec: { text: '},{"metadata":{"name":"x"}},{' } }),
  pod("c", { spec: { text: 'ü€😀\\"},{\\' } }),
  pod("d", { spec: { volumes: [{ ephemeral: { volumeClaimTemplate: { metadata: {} } } }] } }),
];
const LIST = JSON.stringify({ ...HEAD, items: ITEMS });

test("however a list is cut into parts, all but its last item are handed over, in order and with what stands before", async () => {
  for (let size = 1; size <= LIST.length; size += size < 40 ? 1 : 17) {
    const { given, heads, rest } = await read(LIST, size);
    expect(given, `parts of ${size}`).toEqual(ITEMS.slice(0, -1));
    expect(heads.at(-1)).toMatchObject(HEAD);
    expect(JSON.parse(rest)).toEqual({ ...HEAD, items: ITEMS.slice(-1) });
  }
});

test("what is written in another way is left whole, or from there on", async () => {
  const own = { ownerList: [{ a: 1 }, pod("inner"), pod("inner2")] };
  const bodies = {
    empty: JSON.stringify({ ...HEAD, items: [] }),
    sortedMembers: `{"apiVersion":"v1","items":${JSON.stringify(ITEMS)},"kind":"XList","metadata":{}}`,
    spaces: JSON.stringify({ ...HEAD, items: ITEMS }, undefined, 2),
    nothingBefore: `{"items":${JSON.stringify(ITEMS)}}`,
    listInItem: JSON.stringify({ ...HEAD, items: [pod("a"), pod("b", own), pod("c")] }),
    listInHead: JSON.stringify({ inner: { items: ITEMS }, ...HEAD, items: ITEMS }),
    farAway: JSON.stringify({ pad: "x".repeat(5_000), ...HEAD, items: ITEMS }),
    noList: JSON.stringify({ kind: "Status", code: 200 }),
  };
  for (const [name, body] of Object.entries(bodies)) {
    for (const size of [1, 7, 64, body.length]) {
      const list = JSON.parse(body) as { items?: object[] };
      if (list.items === undefined) expect((await read(body, size)).rest, name).toBe(body);
      else expect(await readAll(body, size), `${name}, parts of ${size}`).toEqual(list);
    }
  }
  expect((await read(bodies.listInItem)).given).toEqual([pod("a")]);
  expect((await read(bodies.farAway, 64)).given).toEqual([]);
});

test("only what is held counts to the limit: a list of any length is read", async () => {
  const pods = Array.from({ length: 50 }, (_, i) => pod(`p${i}`, { spec: { text: "x".repeat(100) } }));
  const body = Buffer.from(JSON.stringify({ ...HEAD, items: pods }));
  const parts = Array.from({ length: Math.ceil(body.length / 64) }, (_, i) => body.subarray(i * 64, (i + 1) * 64));
  const given: object[] = [];
  const rest = await readItems(Readable.from(parts), 500, (item) => given.push(item));
  expect(given).toEqual(pods.slice(0, -1));
  expect(JSON.parse(rest)).toEqual({ ...HEAD, items: pods.slice(-1) });
  await expect(readItems(Readable.from(parts), 200, () => undefined)).rejects.toThrow(TooLargeError);
});

test("a body that ends early is no list, and one that is too long is given up", async () => {
  const { given, rest } = await read(LIST.slice(0, -3), 16);
  expect(given).toEqual(ITEMS.slice(0, -1));
  expect(() => JSON.parse(rest)).toThrow(SyntaxError);
  await expect(readItems(Readable.from([Buffer.from(LIST)]), 100, () => undefined)).rejects.toThrow(TooLargeError);
});

test.each([512, 1_000_000])("other work has its turn while a body in parts of %d bytes is read", async (size) => {
  const body = Buffer.from(JSON.stringify({ ...HEAD, items: Array.from({ length: 1_000 }, (_, at) => pod(`p${at}`)) }));
  const parts = Array.from({ length: Math.ceil(body.length / size) }, (_, at) =>
    body.subarray(at * size, (at + 1) * size),
  );
  let [visited, before, most] = [0, 0, 0];
  const turn = (): void => {
    most = Math.max(most, visited - before);
    before = visited;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  // Each item takes a tenth of a millisecond.
  const turns = takeTurns({ now: () => visited / 10 });
  await readItems(Readable.from(parts), 1_000_000, () => visited++, turns);
  clearImmediate(next);
  expect(visited).toBe(999);
  expect(most).toBeLessThan(25);
});
