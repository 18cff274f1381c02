// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadNative } from "../../src/native/addon.ts";
import { load } from "../../src/native/load.ts";
import { NativeUnavailable } from "../../src/native/native-unavailable.ts";
import { packageRoot } from "../../src/native/package-root.ts";
import { type Platform, thisPlatform } from "../../src/native/platform.ts";
import { folder } from "./descriptors.ts";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const built = join(root, "build", "hot-fd.node");
const riscv: Platform = { os: "linux", arch: "riscv64", libc: "glibc", node: "24.0.0" };

function unavailable(call: () => unknown): NativeUnavailable {
  try {
    call();
  } catch (error) {
    if (error instanceof NativeUnavailable) return error;
    throw error;
  }
  throw new Error("it was available");
}

/** A package of nothing but these files: name → the file that it is a copy of, or null = no shared object. */
function packageOf(files: Record<string, string | null>): string {
  const place = folder();
  for (const [name, from] of Object.entries(files)) {
    const file = join(place, name);
    mkdirSync(dirname(file), { recursive: true });
    if (from === null) writeFileSync(file, "no shared object");
    else copyFileSync(from, file);
  }
  return place;
}

const prebuilt = ({ os, arch, libc }: Platform): string => `prebuilds/${os}-${arch}-${libc}/hot-fd.node`;

test("it is loaded once per thread", () => {
  expect(loadNative()).toBe(loadNative());
});

test("the binary of the package is taken for the platform of the running Node", () => {
  const place = packageOf({ [prebuilt(thisPlatform())]: built });
  expect(load(thisPlatform(), place)).toHaveProperty("recv");
});

test.each<Platform["libc"]>(["glibc", "musl"])("the C library decides which binary is taken: %s", (libc) => {
  const of = (one: Platform["libc"]): string => prebuilt({ ...thisPlatform(), libc: one });
  const place = packageOf({ [of(libc)]: built, [of(libc === "glibc" ? "musl" : "glibc")]: null });
  expect(load({ ...thisPlatform(), libc }, place)).toHaveProperty("recv");
});

test("what was built here comes first, and what cannot be loaded is not the end", () => {
  const ours = prebuilt(thisPlatform());
  expect(load(thisPlatform(), packageOf({ "build/hot-fd.node": built, [ours]: null }))).toHaveProperty("recv");
  expect(load(thisPlatform(), packageOf({ "build/hot-fd.node": null, [ours]: built }))).toHaveProperty("recv");
});

test("another system is named, with what to do", () => {
  const error = unavailable(() => load({ os: "darwin", arch: "arm64", libc: "glibc", node: "24.0.0" }, "/somewhere"));
  expect(error.message).toContain("Linux only; this is darwin-arm64.");
  expect(error).toMatchObject({ code: "HOT4090", fix: expect.stringContaining("Linux") as string });
});

test("an old Node is named, before it fails by something that it lacks", () => {
  const error = unavailable(() => load({ ...thisPlatform(), node: "20.19.5" }, "/somewhere"));
  expect(error.message).toContain("This is Node v20.19.5. Run with Node 24 or newer.");
  const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    engines: { node: string };
  };
  expect(error.fix).toContain(engines.node.replace(">=", "Node "));
});

test("no binary: the files and the command that builds one are named", () => {
  const place = folder();
  const error = unavailable(() => load({ os: "linux", arch: "x64", libc: "musl", node: "24.0.0" }, place));
  expect(error.message).toContain(join(place, "build", "hot-fd.node"));
  expect(error.message).toContain(join(place, "prebuilds", "linux-x64-musl", "hot-fd.node"));
  expect(error.fix).toContain(`node ${join(place, "scripts", "build-native.mjs")}`);
});

test("a processor that the package has no binary for is named, and one that was built is loaded", () => {
  const error = unavailable(() => load(riscv, folder()));
  expect(error.message).toContain("No binary for linux-riscv64-glibc is part of the package.");
  expect(error.fix).toContain("build-native.mjs");
  expect(load(riscv, packageOf({ "build/hot-fd.node": built }))).toHaveProperty("recv");
});

test("built for something else: each file with the loader's own words, and the first as the cause", () => {
  const place = packageOf({ "build/hot-fd.node": null, [prebuilt(thisPlatform())]: null });
  const error = unavailable(() => load(thisPlatform(), place));
  expect(error.cause).toBeInstanceOf(Error);
  expect(error.message.match(/hot-fd\.node cannot be loaded: [^.]/g)).toHaveLength(2);
  expect(error.message).toContain(process.version);
});

test("a Node that must not load addons says which option to change, not to build", () => {
  const { stdout } = spawnSync(
    process.execPath,
    [
      "--no-addons",
      "--conditions=@hot/source",
      "--input-type=module",
      "-e",
      `import { dup } from "@hot/fd-transfer"; try { dup(0); } catch (error) { console.log(error.code, error.fix); }`,
    ],
    { cwd: root, encoding: "utf8" },
  );
  expect(stdout).toMatch(/^HOT4090 Start Node without --no-addons/);
});

test("elsewhere the import works, and open() says so before it has written anything", () => {
  const dir = folder();
  const program = `
    Object.defineProperty(process, "platform", { value: "freebsd" });
    const { HotHandoff } = await import("@hot/fd-transfer");
    await HotHandoff.open({ name: "x", dir: ${JSON.stringify(join(dir, "x"))} }).catch((error) => console.log(error.message));`;
  const options = ["--conditions=@hot/source", "--input-type=module", "-e", program];
  const { stdout, stderr } = spawnSync(process.execPath, options, { cwd: root, encoding: "utf8" });
  expect({ stdout, stderr }).toEqual({
    stdout: expect.stringContaining("Linux only; this is freebsd-") as string,
    stderr: "",
  });
  expect(readdirSync(dir)).toEqual([]);
});

test("outside of the package (bundled into something): told so", () => {
  expect(unavailable(() => load(thisPlatform(), null)).fix).toContain("external");
});

test("the package is found from sources, from a build, and not from elsewhere", () => {
  expect(packageRoot(join(root, "src", "native", "addon.ts"))).toBe(root);
  expect(packageRoot(join(root, "dist", "index.js"))).toBe(root);
  expect(packageRoot("/proc/self/x.js")).toBeNull();
});
