// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { HandoffError } from "../src/errors.ts";
import { HotHandoff } from "../src/handoff.ts";
import { loadNative } from "../src/native/addon.ts";
import { OwnedFd } from "../src/native/owned-fd.ts";
import { Lineage } from "../src/ownership.ts";
import { canIsolate } from "./fixtures/settings.ts";
import { folder, openDescriptors } from "./native/descriptors.ts";

test("a process that is stopped between reading and writing an epoch takes none that others have had meanwhile", () => {
  const dir = mkdtempSync(join(tmpdir(), "hft-"));
  const slow = Lineage.tryAcquire(dir)!;
  const others = Lineage.adopt(new OwnedFd(loadNative().dup(slow.fd)), dir);
  onTestFinished(() => {
    for (const one of [slow, others]) one.close();
    rmSync(dir, { recursive: true });
  });
  const first = slow.takeEpoch();
  const taken: bigint[] = [];
  vi.spyOn(slow, "readEpoch").mockImplementationOnce(() => {
    for (let count = 0; count < 3; count++) taken.push(others.takeEpoch());
    return first;
  });
  expect(slow.takeEpoch()).toBe(first + 4n);
  expect(taken).toEqual([first + 1n, first + 2n, first + 3n]);
  expect(others.takeEpoch()).toBe(first + 5n);
});

test.runIf(canIsolate)("a full file system is an error of open(), and nothing is left of the attempt", async () => {
  const place = folder();
  execFileSync("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=4k", "tmpfs", place]);
  onTestFinished(() => void execFileSync("/usr/bin/umount", [place]));
  const [dir, full] = [join(place, "d"), join(place, "full")];
  writeFileSync(full, Buffer.alloc(4096));
  const before = openDescriptors();
  const what = expect.stringContaining("ENOSPC") as string;
  await expect(HotHandoff.open({ name: "a", dir, env: {} })).rejects.toMatchObject({ code: "HOT4001", message: what });
  expect(openDescriptors()).toEqual(before);
  rmSync(full);
  await using hot = await HotHandoff.open({ name: "a", dir, env: {} });
  expect(hot.role).toBe("fresh");
});

test("a standby that cannot write its first epoch is not in its own way at the next attempt", async () => {
  const dir = join(folder(), "d");
  const open = async (version: string): Promise<HotHandoff> =>
    HotHandoff.open({ name: "a", dir, env: { SIDECARSET_VERSION: version }, timeouts: { guardMs: 20, backOffMs: 20 } });
  await using newer = await open("2");
  await newer.ready();
  await using older = await open("1");
  expect(older.role).toBe("standby");
  vi.spyOn(Lineage.prototype, "takeEpoch").mockImplementationOnce(() => {
    throw new HandoffError("HOT4001", "the lock cannot be written (ENOSPC)", { phase: "own" });
  });
  const role = once(older.events, "role");
  const { epoch } = newer;
  await newer.close();
  expect(await role).toEqual(["fresh"]);
  expect(older.epoch).toBe(epoch + 1n);
});
