// SPDX-License-Identifier: Apache-2.0
import { readSync, writeSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadNative } from "../../src/native/addon.ts";
import { closing, codeOf, folder, isCloseOnExec } from "./descriptors.ts";

const native = loadNative();

test("a sealed memory keeps its bytes and its size for ever, and is read by whoever has it", () => {
  const fd = closing(native.createMemory());
  expect(isCloseOnExec(fd)).toBe(true);
  writeSync(fd, "state");
  native.sealMemory(fd);
  expect(native.memorySize(fd)).toBe(5);
  for (const change of [() => writeSync(fd, "x", 0), () => ftruncateSync(fd, 1), () => ftruncateSync(fd, 10)]) {
    expect(change).toThrow(/EPERM/);
  }
  expect(codeOf(() => native.sealMemory(fd))).toBe("EPERM");
  const bytes = Buffer.alloc(5);
  expect(readSync(closing(native.dup(fd)), bytes, 0, 5, 0)).toBe(5);
  expect(bytes.toString()).toBe("state");
});

test("what may still change is refused: a file, and a memory that is not sealed, or not against writing", () => {
  expect(codeOf(() => native.memorySize(closing(openSync(join(folder(), "f"), "w+"))))).toBe("EINVAL");
  expect(codeOf(() => native.memorySize(closing(native.createMemory())))).toBe("EINVAL");
  expect(codeOf(() => native.memorySize(closing(native.createWord(1))))).toBe("EINVAL");
});
