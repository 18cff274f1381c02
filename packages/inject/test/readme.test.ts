// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";

test("the README's example is the one that is compiled here, and prints what it says", async () => {
  const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");
  const example = read("readme-example.ts").replace(/^.*\n/, "");
  expect(read("../README.md")).toContain(`\`\`\`ts\n${example}\`\`\``);
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import("./readme-example.ts");
  const { calls } = log.mock;
  log.mockRestore();
  expect(calls).toEqual([[["proxy-1", "proxy-2"], undefined], [3]]);
});
