// SPDX-License-Identifier: Apache-2.0
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadNative } from "../../src/native/addon.ts";
import { closing, codeOf, folder, isCloseOnExec, openDescriptors, pair } from "./descriptors.ts";

const native = loadNative();

test("all mappings are one word; only the expected value is exchanged", () => {
  const fd = closing(native.createWord(1));
  const ours = native.mapWord(fd);
  const theirs = native.mapWord(fd);
  expect(ours.load()).toBe(1);
  expect(ours.compareExchange(2, 3)).toBe(false);
  expect(ours.load()).toBe(1);
  expect(ours.compareExchange(1, 4_294_967_295)).toBe(true);
  expect(theirs.load()).toBe(4_294_967_295);
  expect(theirs.compareExchange(1, 5)).toBe(false);
});

test("a word that came with a message is the same word, and lives on without its sender's descriptor", () => {
  const [a, b] = pair();
  const fd = native.createWord(7);
  expect(isCloseOnExec(fd)).toBe(true);
  const ours = native.mapWord(fd);
  native.send(a, Buffer.from("w"), [fd]);
  native.close(fd);
  const [received = -1] = closing(native.recv(b, 10)?.fds ?? []);
  const theirs = native.mapWord(received);
  expect(theirs.compareExchange(7, 8)).toBe(true);
  expect(ours.load()).toBe(8);
});

test("nobody can shrink or grow it under us", () => {
  const fd = closing(native.createWord(1));
  expect(() => ftruncateSync(fd, 0)).toThrow("EPERM");
  expect(() => ftruncateSync(fd, 8)).toThrow("EPERM");
});

test("what is not a sealed memfd of 4 bytes is refused", () => {
  const file = openSync(join(folder(), "word"), "w+");
  writeSync(file, Buffer.alloc(4));
  expect(codeOf(() => native.mapWord(file))).toBe("EINVAL");
  closeSync(file);
  expect(codeOf(() => native.mapWord(pair()[0]))).toBe("EINVAL");
  expect(codeOf(() => native.mapWord(1_000_000))).toBe("EBADF");
});

test("close is idempotent and later use an error; no descriptor is kept by a mapping", () => {
  const before = openDescriptors();
  const fd = native.createWord(1);
  const word = native.mapWord(fd);
  native.close(fd);
  expect(openDescriptors()).toEqual(before);
  word.close();
  word.close();
  expect(codeOf(() => word.load())).toBe("EBADF");
  expect(codeOf(() => word.compareExchange(1, 2))).toBe("EBADF");
});
