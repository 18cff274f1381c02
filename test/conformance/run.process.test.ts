// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const corpus = join(import.meta.dirname, "corpus");
const scratch = mkdtempSync(join(tmpdir(), "hot-conformance-"));
afterAll(() => rmSync(scratch, { recursive: true }));

function run(...args: string[]) {
  const script = join(import.meta.dirname, "run.ts");
  return spawnSync(process.execPath, ["--conditions=@hot/source", script, ...args], { encoding: "utf8" });
}

function directory(name: string, files: Record<string, string>): string {
  const path = join(scratch, name);
  mkdirSync(path);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

const counts = (stdout: string): string[] => stdout.split("\n").filter((line) => /^\S+: |^\d+ passed/.test(line));

describe("pnpm conformance", () => {
  test("judges cases by what they contain: the same ones under other names give the same counts", () => {
    const renamed = directory(
      "renamed",
      Object.fromEntries(
        readdirSync(corpus).map((file) => {
          const text = readFileSync(join(corpus, file), "utf8");
          return [file, text.replaceAll(/^(\{"name": ?"[a-z0-9]+\/)(?:[^"\\]|\\.)*"/gm, '$1other"')];
        }),
      ),
    );
    const [first, second] = [run("--", corpus), run(renamed)];
    expect(first.stderr + second.stderr).toBe("");
    expect([first.status, second.status]).toEqual([0, 0]);
    expect(counts(second.stdout)).toEqual(counts(first.stdout));
    expect(counts(first.stdout)).toHaveLength(readdirSync(corpus).length + 1);
  });

  test("names the first differences of a failed case, says what it does not know, and exits with 1", () => {
    const [line = ""] = readFileSync(join(corpus, "hash.jsonl"), "utf8").split("\n");
    const wrong = JSON.stringify({ ...(JSON.parse(line) as object), expected: { hash: "x" } });
    const { status, stdout } = run(directory("wrong", { "hash.jsonl": `${line}\n${wrong}\n`, "other.jsonl": "{}" }));
    expect(status).toBe(1);
    expect(stdout).toContain("hash.jsonl: 1 passed, 1 failed, 0 skipped(quirk)");
    expect(stdout).toMatch(/^ {4}\$\.hash: expected "x", got "\w{64}"$/m);
    expect(stdout).toContain("other.jsonl: not known");
  });

  test.each([["nowhere"], ["a", "b"]])("says how to use it and exits with 2: %s", (...args) => {
    const { status, stderr } = run(...args);
    expect(status).toBe(2);
    expect(stderr).toContain("usage: pnpm conformance [DIR]");
  });
});
