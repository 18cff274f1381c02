// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 120_000 });

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
          return [file, text.replaceAll(/^\{"name": ?"(?:[^"\\]|\\.)*"/gm, '{"name":"other"')];
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

  test("goes on after a line that it can't judge, and says which one it is and why", () => {
    const [hash = ""] = readFileSync(join(corpus, "hash.jsonl"), "utf8").split("\n");
    const [validate = ""] = readFileSync(join(corpus, "validate.jsonl"), "utf8").split("\n");
    const [convert = ""] = readFileSync(join(corpus, "convert.jsonl"), "utf8").split("\n");
    // A line separator of Unicode may stand in a JSON string, and ends no line.
    const named = JSON.stringify({ ...(JSON.parse(hash) as object), name: "a\u2028b" }).replace("\\u2028", "\u2028");
    const { status, stdout, stderr } = run(
      directory("broken", {
        "hash.jsonl": `{"name": \n\n${hash}\nnull\n{"name":"x"}\n${named}`,
        "validate.jsonl": validate.replace('"operation":"CREATE"', '"operation":"PATCH"'),
        "convert.jsonl": convert.replace("->v1beta1", "->v2"),
      }),
    );
    expect([status, stderr]).toEqual([1, ""]);
    expect(stdout).toContain("hash.jsonl: 2 passed, 3 failed, 0 skipped(quirk)");
    expect(stdout).toMatch(
      /^ {2}line 1\n {4}it is no JSON: .*\n {2}line 4\n {4}a case has .*\n {2}line 5\n {4}a case has /m,
    );
    expect(stdout).toContain("input.operation is PATCH, neither CREATE nor UPDATE");
    expect(stdout).toContain("input.direction is v1alpha1->v2, none of v1alpha1->v1beta1, v1beta1->v1alpha1");
  });

  test("a file that it does not know is no success", () => {
    const { status, stdout } = run(directory("unknown", { "other.jsonl": "{}" }));
    expect(status).toBe(1);
    expect(stdout).toContain("other.jsonl: not known, so nothing of it was checked; known are hash.jsonl, ");
  });

  test("a directory without cases is no success either", () => {
    const { status, stderr } = run(directory("empty", { "README.md": "" }));
    expect(status).toBe(2);
    expect(stderr).toMatch(/empty has no \*\.jsonl file\n {2}usage/);
  });

  test.each([["nowhere"], ["a", "b"]])("says how to use it and exits with 2: %s", (...args) => {
    const { status, stderr } = run(...args);
    expect(status).toBe(2);
    expect(stderr).toContain("usage: pnpm conformance [DIR]");
  });
});
