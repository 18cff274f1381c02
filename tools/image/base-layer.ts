// SPDX-License-Identifier: Apache-2.0
// What a Node program needs and nothing else: Node itself, the shared libraries that the loader names, a user, /tmp.
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TarEntry } from "./tar.ts";

export const NODE = "/usr/local/bin/node";

/** `name => /path (0x…)` and, for the loader itself, `/path (0x…)`. */
export function librariesIn(lddOutput: string): string[] {
  const missing = /^\s*(\S+) => not found/m.exec(lddOutput);
  if (missing) throw new Error(`the shared library ${missing[1]} is not installed`);
  return [...lddOutput.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map((match) => match[1] ?? "");
}

/** Paths as the loader opens them, each once, sorted. */
export function librariesOf(binaries: readonly string[]): string[] {
  const found = binaries.flatMap((binary) => librariesIn(execFileSync("ldd", [binary], { encoding: "utf8" })));
  return [...new Set(found)].sort();
}

/** Without symbols where `strip` exists: 12 MB less. */
function stripped(file: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "hot-image-"));
  try {
    const copy = join(folder, "node");
    copyFileSync(file, copy);
    const { status } = spawnSync("strip", [copy], { stdio: "ignore" });
    return readFileSync(status === 0 ? copy : file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Name and numbers of the user; some programs want to look them up. */
export const userFiles: readonly TarEntry[] = [
  { path: "etc/passwd", mode: 0o644, data: Buffer.from("nonroot:x:65532:65532:nonroot:/:/nologin\n") },
  { path: "etc/group", mode: 0o644, data: Buffer.from("nonroot:x:65532:\n") },
];

/** @param binaries programs and addons besides Node whose libraries are needed */
export function baseFiles(binaries: readonly string[]): TarEntry[] {
  const node = realpathSync(process.execPath);
  return [
    ...userFiles,
    { path: "tmp", mode: 0o1777 },
    { path: NODE.slice(1), mode: 0o755, data: stripped(node) },
    ...librariesOf([node, ...binaries]).map((path) => ({
      path: path.slice(1),
      mode: 0o755,
      data: readFileSync(path),
    })),
  ];
}
