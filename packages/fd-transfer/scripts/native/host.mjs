// SPDX-License-Identifier: Apache-2.0
// Builds for the machine that runs this, with its own compiler.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { compileAddon, compileStandby } from "./compile.mjs";
import { fail } from "./report.mjs";
import { keyOf, root, upToDate } from "./sources.mjs";

/** The first of these commands that can be started; null if none. */
function firstOf(commands) {
  for (const command of commands) {
    const result = spawnSync(command, ["--version"], { encoding: "utf8" });
    if (result.status === 0) return { command, args: [], version: result.stdout.split("\n")[0] };
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
    `${packages}; or name one: ${variable}=/path/to/compiler node ${process.argv[1]}`,
  );
}

/** build/hot-fd.node and build/hot-standby, made unless they are up to date. Returns their paths. */
export async function buildForHost() {
  const facts = { arch: process.arch, abi: process.versions.modules, cxx: process.env.CXX, cc: process.env.CC };
  const addon = join(root, "build", "hot-fd.node");
  const standby = join(root, "build", "hot-standby");
  await upToDate(addon, keyOf("addon", facts), async (temporary) => {
    const cxx = compiler(
      "CXX",
      ["c++", "g++", "clang++"],
      "C++",
      "apt-get install g++ (Debian), dnf install gcc-c++ (Fedora), apk add g++ (Alpine)",
    );
    await compileAddon(cxx, temporary);
    return "";
  });
  await upToDate(standby, keyOf("standby", facts), async (temporary) => {
    const cc = compiler(
      "CC",
      ["cc", "gcc", "clang"],
      "C",
      "apt-get install gcc libc6-dev (Debian), dnf install gcc glibc-static (Fedora), apk add gcc musl-dev (Alpine)",
    );
    return (await compileStandby(cc, temporary))
      ? ", static"
      : ", dynamic: no static C library was found, so its image needs the same C library";
  });
  return { addon, standby };
}
