// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";

it("the README's example is the one that is compiled here, and prints what it says", async () => {
  const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");
  const example = read("readme-example.ts").replace(/^.*\n/, "");
  expect(read("../README.md")).toContain(`\`\`\`ts\n${example}\`\`\``);
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import("./readme-example.ts");
  const [[hash, warnings], [causes]] = log.mock.calls as [[string, string[]], [{ field: string; message: string }[]]];
  log.mockRestore();
  expect([hash, warnings]).toEqual([expect.stringMatching(/^\w{64}$/), []]);
  expect(causes).toMatchObject([
    { field: "spec.containers[0].upgradeStrategy.hotUpgradeEmptyImage", message: expect.stringContaining("HOT3201") },
  ]);
});
