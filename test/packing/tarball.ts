// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");
export const fdTransfer = join(root, "packages/fd-transfer");

export interface RunOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs to the end and returns what was printed; throws with all output when it fails. */
export function run({ cwd, env = process.env }: RunOptions, command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? status}\n${stdout}${stderr}`);
  return stdout;
}

/** Builds and packs @hot/fd-transfer as it would be published. Returns the tarball. */
export function packFdTransfer(target: string): string {
  run({ cwd: fdTransfer }, "pnpm", "run", "build");
  run({ cwd: fdTransfer }, "pnpm", "pack", "--pack-destination", target);
  return join(target, readdirSync(target).find((file) => file.endsWith(".tgz")) ?? "");
}

/** The files of a tarball below package/, with `*` after those that are executable. */
export function filesOf(tarball: string): string[] {
  const lines = run({ cwd: "/" }, "tar", "-tvzf", tarball).trim().split("\n");
  return lines
    .filter((line) => !line.startsWith("d"))
    .map((line) => `${/package\/(.*)$/.exec(line)?.[1] ?? line}${line.startsWith("-rwx") ? "*" : ""}`)
    .sort();
}

/** A scratch folder; `await using` removes it. */
export class Scratch implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "hot-packing-"));

  folder(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/**
 * An environment whose PATH leads to Node, npm and the few programs of every Linux that npm and bin/hot-standby call:
 * no compiler, no make, no Python.
 */
export function withoutCompiler(folder: string): NodeJS.ProcessEnv {
  mkdirSync(folder, { recursive: true });
  for (const name of ["npm", "sh", "uname", "readlink", "dirname"]) {
    symlinkSync(run({ cwd: "/" }, "sh", "-c", `command -v ${name}`).trim(), join(folder, name));
  }
  symlinkSync(process.execPath, join(folder, "node"));
  return { PATH: folder, HOME: folder };
}

/** An empty project in which nothing but this tarball is installed, offline. */
export function install(project: string, tarball: string, env: NodeJS.ProcessEnv): void {
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  run({ cwd: project, env }, "npm", "install", "--offline", "--no-audit", "--no-fund", tarball);
}
