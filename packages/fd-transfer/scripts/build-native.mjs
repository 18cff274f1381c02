// SPDX-License-Identifier: Apache-2.0
// Builds build/hot-fd.node (the addon) and build/hot-standby (a static C program) with nothing but a compiler: a fresh
// machine has neither Python nor make, so node-gyp is no way. Does nothing when both are up to date.
// Two builds at once are fine: each writes under a name of its own and renames.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, "build");
const NAPI_VERSION = 9;

/** Prints what is wrong, why, and what to do about it. Never returns. */
function fail(what, cause, fix) {
  process.stderr.write(`\n@hot/fd-transfer: ${what}\n  why: ${cause}\n  fix: ${fix}\n`);
  process.exit(1);
}

function say(sentence) {
  process.stdout.write(`@hot/fd-transfer: ${sentence}\n`);
}

/** The first of these commands that can be started, with its version; null if none. */
function firstOf(commands) {
  for (const command of commands) {
    const result = spawnSync(command, ["--version"], { encoding: "utf8" });
    if (result.status === 0) return { command, version: result.stdout.split("\n")[0] };
  }
  return null;
}

function compiler(variable, commands, language, packages) {
  const wanted = process.env[variable];
  const found = firstOf(wanted ? [wanted] : commands);
  if (found) return found;
  return fail(
    `no ${language} compiler`,
    wanted ? `${variable}=${wanted} cannot be started` : `none of ${commands.join(", ")} is on the PATH`,
    `${packages}; or name one: ${variable}=/path/to/compiler node ${relative(process.cwd(), fileURLToPath(import.meta.url))}`,
  );
}

/** The folder with node_api.h and uv.h of a Node. */
function nodeHeaders() {
  const places = [
    process.env.HOT_NODE_HEADERS,
    join(dirname(dirname(realpathSync(process.execPath))), "include", "node"),
    "/usr/include/node",
    "/usr/include/nodejs/src",
  ].filter(Boolean);
  const found = places.find((place) => existsSync(join(place, "node_api.h")) && existsSync(join(place, "uv.h")));
  if (found) return found;
  return fail(
    "the headers of Node were not found",
    `no node_api.h and uv.h in ${places.join(", ")}`,
    `npm install --prefix /tmp/node-headers --ignore-scripts node-linux-${process.arch}@${process.versions.node} && HOT_NODE_HEADERS=/tmp/node-headers/node_modules/node-linux-${process.arch}/include/node node ${fileURLToPath(import.meta.url)}`,
  );
}

function addonApi() {
  try {
    return dirname(createRequire(import.meta.url).resolve("node-addon-api/package.json"));
  } catch (error) {
    return fail("the package node-addon-api was not found", error.message.split("\n")[0], "run `pnpm install` first");
  }
}

function filesIn(folder, endings) {
  return readdirSync(join(root, folder))
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .sort()
    .map((name) => join(root, folder, name));
}

function hashOf(files, facts) {
  const hash = createHash("sha256").update(JSON.stringify(facts));
  for (const file of files) hash.update(relative(root, file)).update("\0").update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => resolve({ status: 1, output: error.message }));
    child.on("close", (status) => resolve({ status, output }));
  });
}

/** Builds into a file of its own, then puts it in place together with the hash of what it was made from. */
async function target(name, key, make) {
  const file = join(out, name);
  const stamp = `${file}.key`;
  if (existsSync(file) && existsSync(stamp) && readFileSync(stamp, "utf8") === key) return;
  const temporary = `${file}.${process.pid}`;
  const what = await make(temporary);
  renameSync(temporary, file);
  writeFileSync(stamp, key);
  say(`${relative(root, file)}: ${statSync(file).size.toLocaleString("en")} bytes${what}`);
}

async function buildAddon(temporary, cxx, includes, sources) {
  const flags = [
    "-std=c++20",
    "-O2",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-exceptions",
    "-fno-rtti",
    "-fstack-protector-strong",
    "-D_FORTIFY_SOURCE=2",
    "-Wall",
    "-Wextra",
    "-Werror=return-type",
    "-DNAPI_DISABLE_CPP_EXCEPTIONS",
    // A worker can be terminated in the middle of any call; what cannot be thrown then must not end the process.
    "-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
    `-DNAPI_VERSION=${NAPI_VERSION}`,
    "-DBUILDING_NODE_EXTENSION",
    ...includes.flatMap((folder) => ["-isystem", folder]),
  ];
  const jobs = sources
    .filter((file) => file.endsWith(".cc"))
    .map((file) => ({ file, object: `${temporary}.${relative(join(root, "native"), file)}.o` }));
  const objects = jobs.map((job) => job.object);
  const failures = [];
  const worker = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const result = await run(cxx.command, [...flags, "-c", job.file, "-o", job.object]);
      if (result.output.trim()) process.stderr.write(result.output);
      if (result.status !== 0) failures.push(job.file);
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
  if (failures.length === 0) {
    const linked = await run(cxx.command, ["-shared", "-s", "-Wl,-z,relro,-z,now", ...objects, "-o", temporary]);
    if (linked.status !== 0) failures.push(linked.output);
  }
  for (const object of objects) rmSync(object, { force: true });
  if (failures.length > 0) {
    fail(
      "the addon could not be compiled",
      `${cxx.version} failed: ${failures.join(", ")}`,
      "use a compiler with C++20 (g++ 11, clang 14 or newer); see the messages above",
    );
  }
  return "";
}

async function buildStandby(temporary, cc, source) {
  const flags = [
    "-std=c11",
    "-Os",
    "-s",
    "-Wall",
    "-Wextra",
    "-ffunction-sections",
    "-fdata-sections",
    "-Wl,--gc-sections",
    source,
    "-o",
    temporary,
  ];
  const asStatic = await run(cc.command, ["-static", ...flags]);
  if (asStatic.status === 0) return ", static";
  const asDynamic = await run(cc.command, flags);
  if (asDynamic.status !== 0) {
    fail("hot-standby could not be compiled", `${cc.version} failed:\n${asDynamic.output}`, "see the messages above");
  }
  return ", dynamic: no static C library was found, so its image needs the same C library";
}

if (process.platform !== "linux") {
  say(`nothing to build: descriptors can be handed over on Linux only, this is ${process.platform}-${process.arch}`);
} else {
  mkdirSync(out, { recursive: true });
  const script = fileURLToPath(import.meta.url);
  const facts = { arch: process.arch, abi: process.versions.modules, cxx: process.env.CXX, cc: process.env.CC };
  const native = filesIn("native", [".cc", ".h"]);
  const standby = filesIn("standby", [".c"]);
  await target("hot-fd.node", hashOf([script, ...native], facts), async (temporary) => {
    const cxx = compiler(
      "CXX",
      ["c++", "g++", "clang++"],
      "C++",
      "apt-get install g++ (Debian), dnf install gcc-c++ (Fedora), apk add g++ (Alpine)",
    );
    return buildAddon(temporary, cxx, [nodeHeaders(), addonApi()], native);
  });
  await target("hot-standby", hashOf([script, ...standby], facts), async (temporary) => {
    const cc = compiler(
      "CC",
      ["cc", "gcc", "clang"],
      "C",
      "apt-get install gcc libc6-dev (Debian), dnf install gcc glibc-static (Fedora), apk add gcc musl-dev (Alpine)",
    );
    return buildStandby(temporary, cc, standby[0]);
  });
}
