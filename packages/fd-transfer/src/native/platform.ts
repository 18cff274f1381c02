// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";

/** What decides which binary fits. */
export interface Platform {
  /** As in `process.platform`. */
  readonly os: string;
  /** As in `process.arch`. */
  readonly arch: string;
  /** The C library of the running Node, not of the machine: both can be installed. */
  readonly libc: "glibc" | "musl";
  /** As in `process.versions.node`. */
  readonly node: string;
}

/** The platforms of `scripts/prebuild.mjs`. */
const PREBUILT: ReadonlySet<string> = new Set([
  "linux-arm64-glibc",
  "linux-arm64-musl",
  "linux-x64-glibc",
  "linux-x64-musl",
]);

export function thisPlatform(): Platform {
  const { platform: os, arch, versions } = process;
  return { os, arch, libc: os === "linux" ? libc() : "glibc", node: versions.node };
}

function libc(): Platform["libc"] {
  const report: typeof process.report & { excludeNetwork?: boolean } = process.report;
  const before = report.excludeNetwork ?? false;
  report.excludeNetwork = true; // else each open connection is asked for its name
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before;
  return header.glibcVersionRuntime === undefined ? "musl" : "glibc";
}

export function nameOf(platform: Platform): string {
  return `${platform.os}-${platform.arch}${platform.os === "linux" ? `-${platform.libc}` : ""}`;
}

export function isPrebuilt(platform: Platform): boolean {
  return PREBUILT.has(nameOf(platform));
}

/** Where the addon can be, best first: whoever has built it meant it to be used. */
export function addonFiles(root: string, platform: Platform): string[] {
  const built = join(root, "build", "hot-fd.node");
  return isPrebuilt(platform) ? [built, join(root, "prebuilds", nameOf(platform), "hot-fd.node")] : [built];
}
