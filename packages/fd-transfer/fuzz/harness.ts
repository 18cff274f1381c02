// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What reads a hostile peer's message natively: its control part alone, and whole messages over real sockets. */
export const HARNESSES = ["control", "messages"] as const;
export type Harness = (typeof HARNESSES)[number];

/** `libfuzzer` is led by coverage and needs clang; `random` changes the seeds at random and needs any compiler. */
export type Driver = "libfuzzer" | "random";

const here = fileURLToPath(new URL(".", import.meta.url));
const SANITIZERS = "address,undefined";
const WARNINGS = ["-std=c++20", "-O1", "-g", "-fno-exceptions", "-fno-sanitize-recover=all", "-Wall", "-Wextra"];

export function seedsOf(harness: Harness): string[] {
  const folder = join(here, "seeds", harness);
  return readdirSync(folder).map((name) => join(folder, name));
}

function compile(compiler: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(compiler, [...WARNINGS, ...args], { encoding: "utf8" });
  if (status === 0) return;
  const hint =
    error === undefined
      ? "a compiler with AddressSanitizer is needed: apt-get install g++, or clang libclang-rt-dev for libFuzzer"
      : `it cannot be started: ${error.message}`;
  throw new Error(`${compiler} could not build the harness; ${hint}\n${stderr}`);
}

/** Builds a harness into `folder` and returns the program. */
export function buildHarness(harness: Harness, driver: Driver, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const program = join(folder, `${harness}-${driver}`);
  const reader = `${program}.o`;
  const native = join(here, "../native/message.cc");
  const own = join(here, `${harness}.cc`);
  const compiler = driver === "libfuzzer" ? (process.env["CLANGXX"] ?? "clang++") : (process.env["CXX"] ?? "c++");
  const instrumented = driver === "libfuzzer" ? "fuzzer-no-link," : "";
  compile(compiler, [
    `-fsanitize=${instrumented}${SANITIZERS}`,
    "-Dclose=close_under_test",
    "-c",
    native,
    "-o",
    reader,
  ]);
  const main = driver === "libfuzzer" ? [] : [join(here, "random-main.cc")];
  const linked = driver === "libfuzzer" ? `fuzzer,${SANITIZERS}` : SANITIZERS;
  compile(compiler, [`-fsanitize=${linked}`, own, ...main, reader, "-o", program]);
  return program;
}
