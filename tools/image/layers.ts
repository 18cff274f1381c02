// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { baseFiles, librariesOf, userFiles } from "./base-layer.ts";
import { bundle, root } from "./bundle.ts";
import type { LayerName } from "./catalogue.ts";
import type { TarEntry } from "./tar.ts";

const fdTransfer = join(root, "packages", "fd-transfer");
const addon = join(fdTransfer, "build", "hot-fd.node");

function built(name: string): Buffer {
  return readFileSync(join(fdTransfer, "build", name));
}

/** Program headers of a 64-bit little-endian ELF file: one of type 3 names a loader. */
export function isStatic(elf: Buffer): boolean {
  const offset = Number(elf.readBigUInt64LE(32));
  const size = elf.readUInt16LE(54);
  const count = elf.readUInt16LE(56);
  return !Array.from({ length: count }, (_, index) => elf.readUInt32LE(offset + index * size)).includes(3);
}

function hotStandby(): TarEntry {
  const data = built("hot-standby");
  if (isStatic(data)) return { path: "hot-standby", mode: 0o755, data };
  throw new Error(
    "hot-standby is not static, so it cannot be an image alone; install a static C library " +
      "(Debian: libc6-dev, Fedora: glibc-static), remove packages/fd-transfer/build and try again",
  );
}

const modulePackage = (path: string, value: object): TarEntry => ({
  path,
  mode: 0o644,
  data: Buffer.from(JSON.stringify({ type: "module", ...value })),
});
const appPackage = modulePackage("app/package.json", {});

async function sidecarDemo(): Promise<TarEntry[]> {
  const folder = "app/node_modules/@hot/fd-transfer";
  const name = "@hot/fd-transfer";
  return [
    appPackage,
    await bundle({
      source: join(root, "apps/sidecar-demo/src/main.ts"),
      path: "app/main.js",
      external: [name],
    }),
    // It loads the addon from its own folder, which it knows by the name in package.json.
    modulePackage(`${folder}/package.json`, { name, exports: "./dist/index.js" }),
    await bundle({ source: join(fdTransfer, "src/index.ts"), path: `${folder}/dist/index.js` }),
    { path: `${folder}/build/hot-fd.node`, mode: 0o755, data: built("hot-fd.node") },
  ];
}

async function webhook(): Promise<TarEntry[]> {
  const folder = "app/node_modules/@kubernetes/client-node";
  const fromKube = createRequire(join(root, "packages/kube/package.json"));
  return [
    appPackage,
    await bundle({ source: join(root, "apps/webhook/src/main.ts"), path: "app/main.js" }),
    // @hot/kube requires it late, and nothing of it but KubeConfig.
    modulePackage(`${folder}/package.json`, { name: "@kubernetes/client-node", exports: "./config.js" }),
    await bundle({
      source: fromKube.resolve("@kubernetes/client-node/dist/config.js"),
      path: `${folder}/config.js`,
    }),
  ];
}

async function demoApp(): Promise<TarEntry[]> {
  return [appPackage, await bundle({ source: join(root, "apps/sidecar-demo/src/app.ts"), path: "app/main.js" })];
}

/** The one layer with a shell: for a postStart hook that is a script. */
function migrateScript(): TarEntry[] {
  const shell = "/bin/sh";
  const file = (path: string): TarEntry => ({ path: path.slice(1), mode: 0o755, data: readFileSync(path) });
  return [
    ...[shell, ...librariesOf([shell])].map(file),
    { path: "migrate.sh", mode: 0o755, data: readFileSync(join(root, "apps/sidecar-demo/migrate.sh")) },
  ];
}

/** Makes sure that the addon and hot-standby are those of the sources; does nothing when they are. */
export function buildNative(): void {
  const script = join(fdTransfer, "scripts", "build-native.mjs");
  execFileSync(process.execPath, [script], { stdio: ["ignore", "ignore", "inherit"] });
}

/** The files of each layer. The addon's libraries are in the layer of Node, so that all images share it. */
export const layerFiles: Readonly<Record<LayerName, () => TarEntry[] | Promise<TarEntry[]>>> = {
  node: () => baseFiles([addon]),
  standby: () => [...userFiles, hotStandby()],
  pause: () => [hotStandby()],
  "sidecar-demo": sidecarDemo,
  "demo-app": demoApp,
  webhook,
  "migrate-script": migrateScript,
};
