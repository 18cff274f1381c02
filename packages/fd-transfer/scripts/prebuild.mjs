// SPDX-License-Identifier: Apache-2.0
// Makes what a published package holds: the addon and hot-standby for each platform in prebuilds/, and the headers for
// a build from source. Does nothing for what is up to date. The loader (src/native/load.ts) and bin/hot-standby know the
// names.
//
//   node scripts/prebuild.mjs               all platforms, by the cross compiler
//   node scripts/prebuild.mjs --host        this machine's platform alone, by its own compiler; for tests
//   node scripts/prebuild.mjs --only NAME   one of them, such as linux-x64-musl
//   node scripts/prebuild.mjs --out DIR     elsewhere
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compileAddon, compileStandby } from "./native/compile.mjs";
import { addonApi } from "./native/headers.mjs";
import { buildForHost } from "./native/host.mjs";
import { fail, say } from "./native/report.mjs";
import { keyOf, root, upToDate } from "./native/sources.mjs";
import { findZig, zigCompiler } from "./zig.mjs";

/** Debian 10 and Red Hat 8; Node 24 itself asks for it. */
const GLIBC = "2.28";
const ARCHITECTURES = { x64: "x86_64", arm64: "aarch64" };

const { values } = parseArgs({
  options: { host: { type: "boolean", default: false }, only: { type: "string" }, out: { type: "string" } },
});
const out = values.out === undefined ? join(root, "prebuilds") : resolve(values.out);

function copyHeaders() {
  const target = join(out, "include");
  mkdirSync(target, { recursive: true });
  for (const name of ["napi.h", "napi-inl.h", "napi-inl.deprecated.h"]) {
    copyFileSync(join(addonApi(), name), join(target, name));
  }
  // By another name than LICENSE: a packer would take it for that of the package.
  copyFileSync(join(addonApi(), "LICENSE.md"), join(target, "napi.license.md"));
}

/** The C++ library is linked in; what of it is not needed stays out. */
const cross = { compile: ["-ffunction-sections", "-fdata-sections"], link: ["-Wl,--gc-sections"] };

async function prebuildAll() {
  const begun = performance.now();
  const zig = findZig();
  const facts = (target) => ({ zig: zig.version, target, script: readFileSync(new URL(import.meta.url), "utf8") });
  for (const [arch, cpu] of Object.entries(ARCHITECTURES)) {
    const musl = `${cpu}-linux-musl`;
    await upToDate(join(out, `linux-${arch}`, "hot-standby"), keyOf("standby", facts(musl)), async (file) => {
      if (await compileStandby(zigCompiler(zig, "cc", musl), file)) return ", static";
      return fail("hot-standby is not static", `${zig.version} could not link it so`, "see the messages above");
    });
    for (const [libc, target] of Object.entries({ glibc: `${cpu}-linux-gnu.${GLIBC}`, musl })) {
      if (values.only !== undefined && values.only !== `linux-${arch}-${libc}`) continue;
      await upToDate(join(out, `linux-${arch}-${libc}`, "hot-fd.node"), keyOf("addon", facts(target)), async (file) => {
        await compileAddon(zigCompiler(zig, "c++", target), file, cross);
        return "";
      });
    }
  }
  say(`${out} is up to date, ${Math.round((performance.now() - begun) / 1000)} s`);
}

async function prebuildForHost() {
  const { addon, standby } = await buildForHost();
  const { glibcVersionRuntime } = process.report.getReport().header;
  const copy = (from, folder, name) => {
    mkdirSync(join(out, folder), { recursive: true });
    copyFileSync(from, join(out, folder, name));
  };
  copy(addon, `linux-${process.arch}-${glibcVersionRuntime ? "glibc" : "musl"}`, "hot-fd.node");
  copy(standby, `linux-${process.arch}`, "hot-standby");
}

copyHeaders();
await (values.host ? prebuildForHost() : prebuildAll());
