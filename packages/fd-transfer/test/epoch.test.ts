// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { loadNative } from "../src/native/addon.ts";
import { OwnedFd } from "../src/native/owned-fd.ts";
import { Lineage } from "../src/ownership.ts";

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
