// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { tarMembers, tarPieces, withParents, type TarEntry } from "../../tools/image/tar.ts";

function tarOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...tarPieces(entries)]);
}

test("tar reads what was written: modes, owner root, the time 0, directories", () => {
  const archive = tarOf(
    withParents([
      { path: "tmp", mode: 0o1777 },
      { path: "a/b/program", mode: 0o755, data: Buffer.alloc(513, "x") },
      { path: "a/empty", mode: 0o644, data: Buffer.alloc(0) },
    ]),
  );
  const listing = execFileSync("tar", ["-tv", "--numeric-owner", "--utc", "-f", "-"], {
    input: archive,
    encoding: "utf8",
  });
  expect(
    listing
      .trim()
      .split("\n")
      .map((line) => line.replace(/\s+/g, " ")),
  ).toEqual([
    "drwxr-xr-x 0/0 0 1970-01-01 00:00 a/",
    "drwxr-xr-x 0/0 0 1970-01-01 00:00 a/b/",
    "-rwxr-xr-x 0/0 513 1970-01-01 00:00 a/b/program",
    "-rw-r--r-- 0/0 0 1970-01-01 00:00 a/empty",
    "drwxrwxrwt 0/0 0 1970-01-01 00:00 tmp/",
  ]);
  expect(archive.length % 512).toBe(0);
});

test("members say where their bytes are", () => {
  const archive = tarOf([
    { path: "folder", mode: 0o755 },
    { path: "one", mode: 0o644, data: Buffer.from("first") },
    { path: "two", mode: 0o644, data: Buffer.from("second") },
  ]);
  const members = [...tarMembers((offset, length) => archive.subarray(offset, offset + length))];
  expect(members.map(({ path, offset, size }) => [path, archive.toString("utf8", offset, offset + size)])).toEqual([
    ["one", "first"],
    ["two", "second"],
  ]);
});

test("a path that does not fit is refused, never cut", () => {
  expect(() => tarOf([{ path: "x".repeat(101), mode: 0o644, data: Buffer.alloc(0) }])).toThrow(
    "longer than the 100 bytes",
  );
});
