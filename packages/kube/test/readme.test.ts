// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

test("the example of the README is the one that the compiler checks", async () => {
  const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), "utf8");
  const example = /```ts\n([^]*?)```/.exec(await read("../README.md"))?.[1];
  const [licence, ...checked] = (await read("readme.example.ts")).split("\n");
  expect(licence).toMatch(/SPDX/);
  expect(checked.join("\n")).toBe(example);
});
