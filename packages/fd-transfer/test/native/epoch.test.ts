// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadNative } from "../../src/native/addon.ts";
import { codeOf, folder, openDescriptors, pair } from "./descriptors.ts";

const native = loadNative();
const MAXIMUM = 0xffff_ffff_ffff_ffffn;

function open(path: string, flags = "r+"): number {
  const fd = openSync(path, flags);
  onTestFinished(() => closeSync(fd));
  return fd;
}

test.each([0, 3])("a file of %i bytes counts as 0 and gets eight, little endian", (bytes) => {
  const path = join(folder(), "lock");
  writeFileSync(path, Buffer.alloc(bytes, 7));
  const fd = open(path);
  expect(native.exchangeEpoch(fd, 1n, 2n)).toBe(false);
  expect(native.exchangeEpoch(fd, 0n, 0x0102_0304_0506_0708n)).toBe(true);
  expect([...readFileSync(path)]).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
});

test("only the expected number is exchanged, through whichever descriptor; what follows it stays", () => {
  const path = join(folder(), "lock");
  writeFileSync(path, Buffer.alloc(12, 0xff));
  const [one, other] = [open(path), open(path)];
  const before = openDescriptors();
  expect(native.exchangeEpoch(one, MAXIMUM, 5n)).toBe(true);
  expect(native.exchangeEpoch(other, 4n, 9n)).toBe(false);
  expect(native.exchangeEpoch(other, 5n, 6n)).toBe(true);
  expect([...readFileSync(path)]).toEqual([6, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]);
  expect(openDescriptors()).toEqual(before);
});

test("what is no regular file, may not be written, or is no such number is refused", () => {
  const path = join(folder(), "lock");
  writeFileSync(path, Buffer.alloc(8));
  const [fd, reads] = [open(path), open(path, "r")];
  expect(codeOf(() => native.exchangeEpoch(pair()[0], 0n, 1n))).toBe("EINVAL");
  expect(codeOf(() => native.exchangeEpoch(reads, 0n, 1n))).toBe("EACCES");
  for (const wrong of [-1n, MAXIMUM + 1n, 1 as unknown as bigint]) {
    expect(codeOf(() => native.exchangeEpoch(fd, 0n, wrong))).toBe("EINVAL");
    expect(codeOf(() => native.exchangeEpoch(fd, wrong, 0n))).toBe("EINVAL");
  }
  expect([...readFileSync(path)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
});
