// SPDX-License-Identifier: Apache-2.0
// The compiler's flags, the same for the machine itself and for others. A compiler is { command, args, version }.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { addonApi, nodeHeaders } from "./headers.mjs";
import { fail } from "./report.mjs";
import { sources } from "./sources.mjs";

/** One binary serves this and all later versions of Node. */
const NAPI_VERSION = 9;

const addonFlags = [
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
];
const addonLinkFlags = [
  "-shared",
  "-s",
  "-Wl,-z,relro,-z,now",
  `-Wl,--version-script=${fileURLToPath(new URL("exports.map", import.meta.url))}`,
];
const standbyFlags = ["-std=c11", "-Os", "-s", "-Wall", "-Wextra", "-ffunction-sections", "-fdata-sections"];

function run(compiler, args) {
  return new Promise((resolve) => {
    const child = spawn(compiler.command, [...compiler.args, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => resolve({ status: 1, output: error.message }));
    child.on("close", (status) => resolve({ status, output }));
  });
}

/** Compiles and links the addon into `file`. `extra` goes to every call of the compiler. */
export async function compileAddon(compiler, file, extra = {}) {
  const flags = [...addonFlags, ...(extra.compile ?? []), "-isystem", nodeHeaders(), "-isystem", addonApi()];
  const jobs = sources.addon.map((source) => ({ source, object: `${file}.${basename(source)}.o` }));
  const objects = jobs.map((job) => job.object);
  const failures = [];
  const worker = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const result = await run(compiler, [...flags, "-c", job.source, "-o", job.object]);
      if (result.output.trim()) process.stderr.write(result.output);
      if (result.status !== 0) failures.push(job.source);
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
  if (failures.length === 0) {
    const linked = await run(compiler, [...addonLinkFlags, ...(extra.link ?? []), ...objects, "-o", file]);
    if (linked.status !== 0) failures.push(linked.output);
  }
  for (const object of objects) rmSync(object, { force: true });
  if (failures.length === 0) return;
  fail(
    "the addon could not be compiled",
    `${compiler.version} failed: ${failures.join(", ")}`,
    "use a compiler with C++20 (g++ 11, clang 14 or newer); see the messages above",
  );
}

/** Compiles hot-standby into `file`. Returns whether it is static. */
export async function compileStandby(compiler, file) {
  const flags = [...standbyFlags, "-Wl,--gc-sections", ...sources.standby, "-o", file];
  const asStatic = await run(compiler, ["-static", ...flags]);
  if (asStatic.status === 0) return true;
  const asDynamic = await run(compiler, flags);
  if (asDynamic.status === 0) return false;
  return fail(
    "hot-standby could not be compiled",
    `${compiler.version} failed:\n${asDynamic.output}`,
    "see the messages above",
  );
}
