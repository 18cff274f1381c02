// SPDX-License-Identifier: Apache-2.0
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { DatagramOptions } from "../src/datagram.ts";
import { secureDirectory } from "../src/directory.ts";
import { HotHandoff, type HandoffOptions } from "../src/handoff.ts";
import type { TcpListenOptions } from "../src/listener.ts";
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

test.each([
  [{ name: "../x" }, "name '../x' is not"],
  [{}, "name undefined is not"],
  [{ name: 5 }, "name 5 is not"],
  [{ name: "a", mode: "all" }, "mode 'all' is neither"],
  [null, "the options of HotHandoff.open are null"],
  ["a", "the options of HotHandoff.open are 'a'"],
])("open(%o): %s", async (options, message) => {
  const dir = join(folder, "d");
  const given = typeof options === "object" && options !== null ? { ...options, dir } : options;
  const opening = HotHandoff.open(given as HandoffOptions);
  await expect(opening).rejects.toMatchObject({ code: "HOT4014", message: expect.stringContaining(message) as string });
  expect(existsSync(dir)).toBe(false);
});

test.each([
  ["k", { port: -1 }, "port -1 is not"],
  ["k", { port: 70_000 }, "port 70000 is not"],
  ["k", { port: "8080" }, "port '8080' is not a whole number"],
  ["k", {}, "port undefined is not"],
  ["k", { port: 80, host: "localhost" }, "host 'localhost' is not"],
  ["k", { path: 5 }, "path 5 is not"],
  ["k", { path: "/tmp/x", mode: "0600" }, "mode '0600' is not"],
  ["k", null, "the options of listener 'k' are null"],
  ["", { port: 0 }, "the key '' is not"],
  [undefined, { port: 0 }, "the key undefined is not"],
])("listener(%o, %o): %s", async (key, options, message) => {
  await using hot = await HotHandoff.open({ name: "a", dir: join(folder, "d") });
  const listening = hot.listener(key as string, options as TcpListenOptions);
  await expect(listening).rejects.toMatchObject({
    code: "HOT4014",
    message: expect.stringContaining(message) as string,
  });
  const bound = hot.datagram(key as string, options as DatagramOptions);
  await expect(bound).rejects.toMatchObject({ code: "HOT4014" });
});
