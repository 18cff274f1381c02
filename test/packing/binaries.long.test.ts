// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { zig } from "./provision.ts";
import { fdTransfer, run, Scratch } from "./tarball.ts";

// What the binaries of a published package are, read out of the files.
const scratch = new Scratch();
const prebuilds = join(fdTransfer, "prebuilds");
const MACHINE = { x64: "Advanced Micro Devices X86-64", arm64: "AArch64" } as const;
const GLIBC_FLOOR = [2, 28];

const prebuild = (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): string =>
  run(
    { cwd: fdTransfer, env: { ...process.env, ...env, ZIG: zig() } },
    process.execPath,
    "scripts/prebuild.mjs",
    ...args,
  );
const read = (file: string, ...options: string[]): string =>
  run({ cwd: "/", env: { ...process.env, LC_ALL: "C" } }, "readelf", "-W", ...options, file);

beforeAll(() => void prebuild(), 1_800_000);
afterAll(() => scratch[Symbol.dispose]());

const newer = (
  [major = 0, minor = 0]: readonly number[],
  [floorMajor = 0, floorMinor = 0]: readonly number[],
): boolean => major > floorMajor || (major === floorMajor && minor > floorMinor);

/** The libraries that have to be there, and the versions of glibc that the symbols in use ask for. */
function demands(file: string): { libraries: string[]; glibc: number[][] } {
  const libraries = Array.from(read(file, "-d").matchAll(/\(NEEDED\).*\[(.*)\]/g), ([, name = ""]) => name);
  const versions = new Set(Array.from(read(file, "--dyn-syms").matchAll(/@GLIBC_([\d.]+)/g), ([, one = ""]) => one));
  return { libraries, glibc: [...versions].map((one) => one.split(".").map(Number)) };
}

describe.each(["x64", "arm64"] as const)("linux-%s", (arch) => {
  test.each(["glibc", "musl"] as const)(
    "the addon for %s asks for that C library alone, and shows two symbols",
    (libc) => {
      const file = join(prebuilds, `linux-${arch}-${libc}`, "hot-fd.node");
      expect(read(file, "-h")).toContain(MACHINE[arch]);
      const { libraries, glibc } = demands(file);
      if (libc === "musl") {
        expect({ libraries, glibc }).toEqual({ libraries: ["libc.so"], glibc: [] });
      } else {
        const others = libraries.filter((name) => !/^(libc|libm|libpthread|libdl|ld-linux-.*)\.so\.\d$/.test(name));
        expect(others).toEqual([]);
        expect(glibc.length).toBeGreaterThan(0);
        expect(glibc.filter((version) => newer(version, GLIBC_FLOOR))).toEqual([]);
      }
      const shown = read(file, "--dyn-syms")
        .split("\n")
        .filter((line) => / (GLOBAL|WEAK) +DEFAULT +\d+ /.test(line))
        .map((line) => line.trim().split(/\s+/).at(-1));
      expect(new Set(shown)).toEqual(new Set(["napi_register_module_v1", "node_api_module_get_api_version_v1"]));
      expect(statSync(file).size).toBeLessThan(500_000);
    },
  );

  test("hot-standby is static and far below 1 MB", () => {
    const file = join(prebuilds, `linux-${arch}`, "hot-standby");
    expect(read(file, "-h")).toContain(MACHINE[arch]);
    expect(read(file, "-l")).not.toContain("INTERP");
    expect(read(file, "-d")).toContain("no dynamic section");
    expect(statSync(file).size).toBeLessThan(100_000);
  });
});

test("the same sources give the same bytes: nothing of them comes from an earlier build", () => {
  const out = scratch.folder("again");
  const env = { ZIG_GLOBAL_CACHE_DIR: scratch.folder("cache"), ZIG_LOCAL_CACHE_DIR: scratch.folder("cache") };
  prebuild(["--only", "linux-x64-glibc", "--out", out], env);
  for (const name of ["linux-x64-glibc/hot-fd.node", "linux-x64/hot-standby", "linux-arm64/hot-standby"]) {
    expect([name, readFileSync(join(out, name)).equals(readFileSync(join(prebuilds, name)))]).toEqual([name, true]);
  }
}, 1_800_000);
