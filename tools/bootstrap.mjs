// SPDX-License-Identifier: Apache-2.0
// Runs a task of this repository on a machine that has only Node >= 20 and npm: provides Node 24 and pnpm in a cache
// folder, installs, builds, then runs the task. With Node 24 and pnpm at hand it uses these. Node built-ins only.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NODE_VERSION = "24.21.0";
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pnpmVersion = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager.split("@")[1];

/** Prints what is wrong, why, and what to do about it; nothing has been left running. */
function fail(what, cause, fix) {
  process.stderr.write(`\nhot: ${what}\n  why: ${cause}\n  fix: ${fix}\n`);
  process.exit(1);
}

function say(sentence) {
  process.stderr.write(`hot: ${sentence}\n`);
}

function cacheFolder() {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const folder = join(base, "hot");
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    fail(
      `the cache folder ${folder} cannot be written`,
      error.message,
      "make it writable, or name another one: XDG_CACHE_HOME=/some/folder npm test",
    );
  }
  return folder;
}

/** Unpacks one npm package into the cache; two bootstraps at once are fine: the first rename wins. */
function provide(cache, spec, folder, wanted) {
  const target = join(cache, folder);
  if (existsSync(join(target, wanted))) return target;
  say(`installing ${spec} into ${cache} (once)`);
  const temporary = mkdtempSync(join(cache, "tmp-"));
  const npm = spawnSync(
    "npm",
    [
      "install",
      "--prefix",
      temporary,
      "--ignore-scripts",
      "--no-save",
      "--no-package-lock",
      "--no-audit",
      "--no-fund",
      spec,
    ],
    {
      cwd: temporary,
      encoding: "utf8",
      env: outsideOfNpm(),
    },
  );
  if (npm.status !== 0) {
    rmSync(temporary, { recursive: true, force: true });
    fail(
      `npm could not install ${spec}`,
      (npm.error?.message ?? npm.stderr).trim().split("\n").slice(0, 4).join("\n       "),
      "check the network and `npm ping`, then run the command again",
    );
  }
  const modules = join(temporary, "node_modules");
  const name = readdirSync(modules).find((entry) => !entry.startsWith("."));
  const unpacked = name.startsWith("@")
    ? join(modules, name, readdirSync(join(modules, name))[0])
    : join(modules, name);
  try {
    renameSync(unpacked, target);
  } catch (error) {
    if (!existsSync(join(target, wanted))) {
      rmSync(target, { recursive: true, force: true });
      renameSync(unpacked, target);
    } else if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  }
  rmSync(temporary, { recursive: true, force: true });
  return target;
}

/** The environment without what an outer npm or pnpm has put there: its settings are not ours. */
function outsideOfNpm() {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([key]) => !/^npm_(config|package|lifecycle)_/i.test(key) || key === "npm_config_registry",
    ),
  );
}

/** Node 24 and pnpm: the ones that run us, or the ones in the cache. */
function toolChain() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= 24 && (process.env.npm_config_user_agent ?? "").startsWith("pnpm/") && process.env.npm_execpath) {
    return { path: [dirname(process.execPath)], pnpm: process.env.npm_execpath };
  }
  const architecture = { x64: "x64", arm64: "arm64" }[process.arch];
  if (process.platform !== "linux" || !architecture) {
    fail(
      `${process.platform}-${process.arch} is not supported`,
      "the hand-over needs Linux (SCM_RIGHTS, flock, memfd) on x64 or arm64",
      "use a Linux machine, a virtual machine or WSL 2",
    );
  }
  const cache = cacheFolder();
  const node = provide(
    cache,
    `node-linux-${architecture}@${NODE_VERSION}`,
    `node-${NODE_VERSION}-${architecture}`,
    "bin/node",
  );
  const pnpm = provide(
    cache,
    `@pnpm/exe.linux-${architecture}@${pnpmVersion}`,
    `pnpm-${pnpmVersion}-${architecture}`,
    "pnpm",
  );
  return { path: [join(node, "bin"), pnpm], pnpm: join(pnpm, "pnpm") };
}

/** What an installation depends on; a change of any of these makes the next start install again. */
function installKey() {
  const manifests = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"];
  for (const group of ["packages", "apps"]) {
    for (const name of readdirSync(join(root, group)).sort()) manifests.push(join(group, name, "package.json"));
  }
  const hash = createHash("sha256").update(NODE_VERSION);
  for (const file of manifests) if (existsSync(join(root, file))) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

const [task, ...rest] = process.argv.slice(2);
if (!task)
  fail(
    "no task was named",
    "tools/bootstrap.mjs is called by the scripts in package.json",
    "run `npm test` or `npm run demo`",
  );

const tools = toolChain();
const env = {
  ...outsideOfNpm(),
  PATH: [...tools.path, process.env.PATH].join(delimiter),
  TURBO_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
};
const pnpm = (args) =>
  spawnSync(tools.pnpm, args, { cwd: root, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const stamp = join(root, "node_modules", ".hot-installed");
const key = installKey();
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== key) {
  say("installing dependencies (pnpm install --frozen-lockfile)");
  const result = pnpm(["install", "--frozen-lockfile", "--reporter=append-only"]);
  if (result.status !== 0)
    fail(
      "the dependencies could not be installed",
      (result.stdout + result.stderr).trim().split("\n").slice(-6).join("\n       "),
      "check the network, then run the command again",
    );
  writeFileSync(stamp, key);
}

if (!existsSync(join(root, "apps", "demo", "dist", "main.js"))) say("building (the first time takes about a minute)");
const build = pnpm(["exec", "turbo", "run", "build", "--output-logs=errors-only"]);
if (build.status !== 0) {
  process.stderr.write(build.stdout + build.stderr);
  fail(
    "the build failed",
    "see the messages above",
    "a C++ compiler is needed (`apt-get install g++`, `dnf install gcc-c++`); for other errors `pnpm build` shows all output",
  );
}
if (!/FULL TURBO/.test(build.stdout)) say("built");

// Ctrl-C reaches the whole process group: the task cleans up, and we wait for it. TERM reaches us alone: pass it on.
const child = spawn(tools.pnpm, ["run", "--silent", task, ...rest], { cwd: root, env, stdio: "inherit" });
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("error", (error) =>
  fail("pnpm could not be started", error.message, `remove ${tools.pnpm} and run the command again`),
);
child.on("exit", (code) => process.exit(code ?? 1));
