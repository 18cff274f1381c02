// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { librariesIn } from "../../tools/image/base-layer.ts";

test("the libraries are those that the loader opens, and the loader itself", () => {
  const output = `	linux-vdso.so.1 (0x00007ffd4a1f2000)
	libdl.so.2 => /lib/x86_64-linux-gnu/libdl.so.2 (0x00007f0568400000)
	/lib64/ld-linux-x86-64.so.2 (0x00007f0568600000)
`;
  expect(librariesIn(output)).toEqual(["/lib/x86_64-linux-gnu/libdl.so.2", "/lib64/ld-linux-x86-64.so.2"]);
});

test("a program without libraries has none", () => {
  expect(librariesIn("	statically linked\n")).toEqual([]);
});

test("a library that is missing is named", () => {
  expect(() => librariesIn("	libodd.so.1 => not found\n")).toThrow("libodd.so.1 is not installed");
});
