// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const NAME = "@hot/fd-transfer";

/** The folder of this package, seen from one of its files: sources and build lie at different depths. Null = not in it. */
export function packageRoot(file: string): string | null {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && nameIn(manifest) === NAME) return folder;
    if (folder === dirname(folder)) return null;
  }
}

function nameIn(manifest: string): unknown {
  const content: unknown = JSON.parse(readFileSync(manifest, "utf8"));
  return typeof content === "object" && content !== null && "name" in content ? content.name : null;
}
