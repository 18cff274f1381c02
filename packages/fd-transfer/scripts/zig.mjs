// SPDX-License-Identifier: Apache-2.0
// The cross compiler: Zig brings headers and C libraries of all targets, so nothing of them has to be installed.
import { spawnSync } from "node:child_process";
import { fail } from "./native/report.mjs";

/** Its C++ library is part of the binaries, so the version is pinned. */
export const ZIG_VERSION = "0.17";

/** How to start Zig: words of a command line. */
export function findZig() {
  const candidates = process.env.ZIG ? [process.env.ZIG.split(" ")] : [["zig"], ["python3", "-m", "ziglang"]];
  const seen = candidates.map((words) => {
    const { status, stdout } = spawnSync(words[0], [...words.slice(1), "version"], { encoding: "utf8" });
    return { words, version: status === 0 ? stdout.trim() : null };
  });
  const found = seen.find(({ version }) => version?.startsWith(`${ZIG_VERSION}.`));
  if (found) return found;
  return fail(
    `no Zig ${ZIG_VERSION}`,
    seen
      .map(({ words, version }) => `\`${words.join(" ")}\` ${version ? `is ${version}` : "cannot be started"}`)
      .join(", "),
    `python3 -m venv DIR && DIR/bin/pip install "ziglang==${ZIG_VERSION}.*" && ZIG="DIR/bin/python -m ziglang" node ${process.argv[1]}`,
  );
}

/** A compiler for `compile.mjs`: `driver` is cc or c++, `target` such as aarch64-linux-musl. */
export function zigCompiler({ words, version }, driver, target) {
  return {
    command: words[0],
    args: [...words.slice(1), driver, "-target", target],
    version: `zig ${version} for ${target}`,
  };
}
