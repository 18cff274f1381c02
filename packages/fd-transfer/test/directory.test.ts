// SPDX-License-Identifier: Apache-2.0
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { secureDirectory } from "../src/directory.ts";
import { HotHandoff } from "../src/handoff.ts";
import { Lineage } from "../src/ownership.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hft-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a missing directory is made with mode 0700", () => {
  secureDirectory(join(folder, "d"));
  expect(statSync(join(folder, "d")).mode & 0o7777).toBe(0o700);
});

test.each([
  ["open to others", 0o755],
  ["open to the group", 0o770],
])("%s: refused with its mode", (_, mode) => {
  mkdirSync(join(folder, "d"));
  chmodSync(join(folder, "d"), mode);
  expect(() => secureDirectory(join(folder, "d"))).toThrow(new RegExp(`HOT4001 .*${mode.toString(8)}, 700 is needed`));
});

test("a symbolic link is refused even when it leads to a good directory", () => {
  mkdirSync(join(folder, "d"), { mode: 0o700 });
  symlinkSync("d", join(folder, "l"));
  expect(() => secureDirectory(join(folder, "l"))).toThrow(/HOT4001 .*symbolic link/);
});

test("a file, a relative path, a path too long for a socket, a missing parent: refused", () => {
  writeFileSync(join(folder, "f"), "");
  expect(() => secureDirectory(join(folder, "f"))).toThrow(/not a directory/);
  expect(() => secureDirectory("d")).toThrow(/absolute/);
  expect(() => secureDirectory(join(folder, "x".repeat(100)))).toThrow(/longer/);
  expect(() => secureDirectory(join(folder, "no", "d"))).toThrow(/cannot be made/);
});

test.runIf(process.geteuid?.() === 0)("another user's directory is refused with both users", () => {
  mkdirSync(join(folder, "d"), { mode: 0o700 });
  chownSync(join(folder, "d"), 4321, 4321);
  expect(() => secureDirectory(join(folder, "d"))).toThrow(/belongs to user 4321, this process is user 0/);
});

test("a lock that is a symbolic link is refused, and open() says so", async () => {
  writeFileSync(join(folder, "elsewhere"), "");
  mkdirSync(join(folder, "d"), { mode: 0o700 });
  symlinkSync("../elsewhere", join(folder, "d", "lock"));
  await expect(HotHandoff.open({ name: "a", dir: join(folder, "d") })).rejects.toMatchObject({ code: "HOT4001" });
});

test("R11: an owner.sock that cannot be reached is an error with user and code, never 'no owner'", async () => {
  mkdirSync(join(folder, "d"), { mode: 0o700 });
  symlinkSync("owner.sock", join(folder, "d", "owner.sock"));
  const opening = HotHandoff.open({ name: "a", dir: join(folder, "d") });
  await expect(opening).rejects.toMatchObject({
    code: "HOT4002",
    message: expect.stringMatching(/user \d+ \(ELOOP\)/),
  });
});

test("L: one at a time, free when closed; the epoch starts at the time in ms and grows", () => {
  const before = BigInt(Date.now());
  const first = Lineage.tryAcquire(folder)!;
  expect(Lineage.tryAcquire(folder)).toBeNull();
  expect(first.readEpoch()).toBe(0n);
  const epoch = first.takeEpoch();
  expect(epoch).toBeGreaterThanOrEqual(before);
  expect(first.takeEpoch()).toBe(epoch + 1n);
  first.close();
  const second = Lineage.tryAcquire(folder)!;
  expect(second.readEpoch()).toBe(epoch + 1n);
  second.close();
});

test("L: a file that was removed and made again is not the same lock", () => {
  const first = Lineage.tryAcquire(folder)!;
  rmSync(join(folder, "lock"));
  const second = Lineage.tryAcquire(folder)!;
  // The next one sees that the path is held, although the first file is locked as well.
  expect(Lineage.tryAcquire(folder)).toBeNull();
  second.close();
  first.close();
});

test("names and arguments are checked", async () => {
  await expect(HotHandoff.open({ name: "../x", dir: join(folder, "d") })).rejects.toMatchObject({ code: "HOT4014" });
  await using hot = await HotHandoff.open({ name: "a", dir: join(folder, "d") });
  for (const bad of [{ port: -1 }, { port: 70_000 }, { port: 80, host: "localhost" }]) {
    await expect(hot.listener("k", bad)).rejects.toMatchObject({ code: "HOT4014" });
  }
});
