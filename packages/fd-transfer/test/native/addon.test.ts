// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { load, loadNative } from "../../src/native/addon.ts";
import { NativeUnavailable } from "../../src/native/native-unavailable.ts";
import { packageRoot } from "../../src/native/package-root.ts";
import { folder } from "./descriptors.ts";

function unavailable(call: () => unknown): NativeUnavailable {
  try {
    call();
  } catch (error) {
    if (error instanceof NativeUnavailable) return error;
    throw error;
  }
  throw new Error("it was available");
}

test("it is loaded once per thread", () => {
  expect(loadNative()).toBe(loadNative());
});

test("another platform is named, with what to do", () => {
  const error = unavailable(() => load("darwin", "arm64", "/somewhere"));
  expect(error.message).toContain("darwin-arm64");
  expect(error).toMatchObject({ code: "HOT4090", fix: expect.stringContaining("Linux") as string });
});

test("not built: the file and the command that builds it are named", () => {
  const root = folder();
  const error = unavailable(() => load("linux", "x64", root));
  expect(error.message).toContain(join(root, "build", "hot-fd.node"));
  expect(error.fix).toContain(`node ${join(root, "scripts", "build-native.mjs")}`);
});

test("built for something else: the loader's own error is the cause", () => {
  const root = folder();
  mkdirSync(join(root, "build"));
  writeFileSync(join(root, "build", "hot-fd.node"), "no shared object");
  const error = unavailable(() => load("linux", "x64", root));
  expect(error.cause).toBeInstanceOf(Error);
  expect(error.message).toContain(process.version);
});

test("outside of the package (bundled into something): told so", () => {
  expect(unavailable(() => load("linux", "x64", null)).fix).toContain("external");
});

test("the package is found from sources, from a build, and not from elsewhere", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
  expect(packageRoot(join(root, "src", "native", "addon.ts"))).toBe(root);
  expect(packageRoot(join(root, "dist", "index.js"))).toBe(root);
  expect(packageRoot("/proc/self/x.js")).toBeNull();
});
