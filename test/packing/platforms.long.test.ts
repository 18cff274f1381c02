// SPDX-License-Identifier: Apache-2.0
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectedOutcome, runExample } from "./example.ts";
import { foreignNodes, zig } from "./provision.ts";
import { fdTransfer, filesOf, install, packFdTransfer, run, Scratch, withoutCompiler } from "./tarball.ts";

// The package as it is published, with the binaries of the cross compiler, on every platform that it has one for.
const scratch = new Scratch();
const env = withoutCompiler(scratch.folder("bin"));
const project = scratch.folder("project");
const installed = join(project, "node_modules/@hot/fd-transfer");
let tarball: string;

beforeAll(() => {
  run({ cwd: fdTransfer, env: { ...process.env, ZIG: zig() } }, "pnpm", "run", "prebuilds");
  tarball = packFdTransfer(scratch.folder("packed"));
  install(project, tarball, env);
}, 1_800_000);

afterAll(() => scratch[Symbol.dispose]());

const match = (pattern: RegExp): unknown => expect.stringMatching(pattern);

test("the tarball has the addon for four platforms, and hot-standby, executable, for two processors", () => {
  expect(filesOf(tarball).filter((file) => file.startsWith("prebuilds/linux"))).toEqual([
    "prebuilds/linux-arm64-glibc/hot-fd.node*",
    "prebuilds/linux-arm64-musl/hot-fd.node*",
    "prebuilds/linux-arm64/hot-standby*",
    "prebuilds/linux-x64-glibc/hot-fd.node*",
    "prebuilds/linux-x64-musl/hot-fd.node*",
    "prebuilds/linux-x64/hot-standby*",
  ]);
});

test("linux-x64-glibc: without a compiler the README's example takes over and gives back", async () => {
  const node = { command: process.execPath, args: [], env };
  const outcome = await runExample(project, node, [join(project, "node_modules/.bin/hot-standby")]);
  expect(outcome).toEqual(expectedOutcome(match));
});

test.each(Object.entries(foreignNodes))(
  "%s: the README's example takes over and gives back, and hot-standby of that processor asks it",
  async (name, provide) => {
    const { words, program } = provide();
    const [command = "", ...args] = words;
    const [, arch = "", libc = ""] = name.split("-");
    const glibcOf = "process.report.getReport().header.glibcVersionRuntime";
    const said = run({ cwd: project, env }, command, ...args, "-p", `process.arch + (${glibcOf} ? "-glibc" : "-musl")`);
    expect(said.trim()).toBe(`${arch}-${libc}`);
    const standby = [...program, join(installed, `prebuilds/linux-${arch}/hot-standby`)];
    expect(await runExample(project, { command, args, env }, standby)).toEqual(expectedOutcome(match));
  },
  900_000,
);

test("without a binary that fits, the package says so, builds one from what it holds, and runs", async () => {
  const bare = scratch.folder("bare");
  install(bare, tarball, env);
  const folder = join(bare, "node_modules/@hot/fd-transfer");
  for (const libc of ["glibc", "musl"])
    rmSync(join(folder, `prebuilds/linux-${process.arch}-${libc}`), { recursive: true });
  rmSync(join(folder, `prebuilds/linux-${process.arch}`), { recursive: true });
  const open = `import { HotHandoff } from "@hot/fd-transfer";
    await HotHandoff.open({ name: "x", dir: "x" }).catch((error) => console.log(error.fix));`;
  const fix = run({ cwd: bare, env }, process.execPath, "--input-type=module", "-e", open).trim();
  expect(fix).toBe(`Build it with a C++ compiler: node ${join(folder, "scripts/build-native.mjs")}`);

  const script = join(folder, "scripts/build-native.mjs");
  expect(() => run({ cwd: bare, env }, process.execPath, script)).toThrow(/no C\+\+ compiler[^]*apt-get install g\+\+/);
  run({ cwd: bare }, process.execPath, script);
  const node = { command: process.execPath, args: [], env };
  const outcome = await runExample(bare, node, [join(bare, "node_modules/.bin/hot-standby")]);
  expect(outcome).toEqual(expectedOutcome(match));
  expect(readFileSync(join(folder, "build/hot-fd.node")).subarray(1, 4).toString()).toBe("ELF");
}, 900_000);
