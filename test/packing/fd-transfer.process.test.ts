// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectedOutcome, runExample } from "./example.ts";
import { fdTransfer, filesOf, install, packFdTransfer, run, Scratch, withoutCompiler } from "./tarball.ts";

// A sidecar author's machine has Node and npm, and no compiler. The binary for this machine is that of its own compiler,
// put where a published package has it; the ones of all platforms are in platforms.long.test.ts.
const scratch = new Scratch();
const project = scratch.folder("project");
const env = withoutCompiler(scratch.folder("bin"));
const installed = join(project, "node_modules/@hot/fd-transfer");
let tarball: string;

beforeAll(() => {
  const packed = packFdTransfer(scratch.folder("packed"));
  const content = scratch.folder("content");
  run({ cwd: content }, "tar", "-xzf", packed);
  rmSync(join(content, "package/prebuilds"), { recursive: true, force: true });
  const out = join(content, "package/prebuilds");
  run({ cwd: fdTransfer }, process.execPath, "scripts/prebuild.mjs", "--host", "--out", out);
  tarball = join(scratch.path, "fd-transfer.tgz");
  run({ cwd: content }, "tar", "-czf", tarball, "package");
  install(project, tarball, env);
}, 300_000);

afterAll(() => scratch[Symbol.dispose]());

test("the package holds what is run and what it is built from, and no sources, tests or stamps", () => {
  const files = filesOf(tarball);
  expect(new Set(files.map((file) => file.split("/")[0]))).toEqual(
    new Set(["LICENSE", "README.md", "bin", "dist", "native", "package.json", "prebuilds", "scripts", "standby"]),
  );
  expect(files).toContain("bin/hot-standby*");
  expect(files.filter((file) => file.startsWith("scripts/"))).toEqual([
    "scripts/build-native.mjs",
    ...readdirSync(join(fdTransfer, "scripts/native"))
      .sort()
      .map((name) => `scripts/native/${name}`),
  ]);
  const others = files.filter((file) => !/^(dist|native|scripts)\//.test(file));
  expect(others).toEqual([
    "LICENSE",
    "README.md",
    "bin/hot-standby*",
    "package.json",
    "prebuilds/include/napi-inl.deprecated.h",
    "prebuilds/include/napi-inl.h",
    "prebuilds/include/napi.h",
    "prebuilds/include/napi.license.md",
    expect.stringMatching(/^prebuilds\/linux-(x64|arm64)-(glibc|musl)\/hot-fd\.node\*$/),
    expect.stringMatching(/^prebuilds\/linux-(x64|arm64)\/hot-standby\*$/),
    "standby/hot-standby.c",
  ]);
});

test("nothing is run at its installation, and nothing else is installed", () => {
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Record<string, object>;
  expect(manifest).not.toHaveProperty("dependencies");
  const scripts = Object.keys(manifest["scripts"] ?? {});
  expect(scripts.filter((name) => /install|^prepare$/.test(name))).toEqual([]);
  expect(JSON.stringify(manifest["exports"])).not.toContain("@hot/source");
  expect(readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith("."))).toEqual(["@hot"]);
  expect(readdirSync(installed)).not.toContain("build");
});

test("where there is no compiler, the README's example takes over and gives back, and hot-standby asks it", async () => {
  for (const compiler of ["cc", "c++", "gcc", "g++", "clang", "make", "python3"]) {
    expect(() => run({ cwd: project, env }, "sh", "-c", `command -v ${compiler}`)).toThrow();
  }
  const node = { command: process.execPath, args: [], env };
  const outcome = await runExample(project, node, [join(project, "node_modules/.bin/hot-standby")]);
  expect(outcome).toEqual(expectedOutcome((pattern) => expect.stringMatching(pattern)));
});
