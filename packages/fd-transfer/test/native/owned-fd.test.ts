// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { loadNative } from "../../src/native/addon.ts";
import { OwnedFd } from "../../src/native/owned-fd.ts";
import { Poller, READABLE } from "../../src/native/poller.ts";
import { closing, codeOf, openDescriptors } from "./descriptors.ts";

const native = loadNative();
const listen = (): number => native.listenTcp("127.0.0.1", 0, { backlog: 1 });

test("release gives the descriptor away once; close after it leaves it alone", () => {
  const owned = new OwnedFd(listen());
  const fd = closing(owned.release());
  expect(owned.held).toBe(false);
  expect(() => owned.release()).toThrow("given away");
  expect(() => owned.fd).toThrow("given away");
  owned.close();
  expect(native.isOpen(fd)).toBe(true);
});

test("close closes once: a number that was given to another file meanwhile is safe", () => {
  const owned = new OwnedFd(listen());
  const fd = owned.fd;
  owned.close();
  const next = closing(listen());
  expect(next).toBe(fd); // the kernel gives the lowest free number
  owned.close();
  expect(native.isOpen(next)).toBe(true);
});

test("a scope closes what it still owns; a dup has an owner of its own", () => {
  const before = openDescriptors();
  {
    using first = new OwnedFd(listen());
    using second = first.dup();
    expect(native.socketInfo(second.fd).cookie).toBe(native.socketInfo(first.fd).cookie);
  }
  expect(openDescriptors()).toEqual(before);
});

test("a watched descriptor is not closed, and still owned", () => {
  const owned = new OwnedFd(listen());
  const poller = new Poller(owned.fd, () => undefined);
  poller.start(READABLE);
  expect(codeOf(() => owned.close())).toBe("EBUSY");
  poller.close();
  owned.close();
  expect(owned.held).toBe(false);
});

test.each([-1, 1.5, Number.NaN])("%s is no descriptor", (fd) => {
  expect(() => new OwnedFd(fd)).toThrow(RangeError);
});
