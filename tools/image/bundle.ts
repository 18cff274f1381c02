// SPDX-License-Identifier: Apache-2.0
// One file of an application and all that it imports, made from the sources: no build has to come first.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "tsup";
import type { TarEntry } from "./tar.ts";

/** Folder of the repository. */
export const root = join(import.meta.dirname, "..", "..");

export interface Bundle {
  /** Absolute path of the source. */
  readonly source: string;
  /** Where the file goes in the image, without leading slash. */
  readonly path: string;
  /** Packages that stay outside and are looked up in node_modules. */
  readonly external?: readonly string[];
}

// Packages in CommonJS call `require`, which a module does not have.
const requireInModule = `import { createRequire as createRequireOfBundle } from "node:module";
const require = createRequireOfBundle(import.meta.url);`;

export async function bundle({ source, path, external = [] }: Bundle): Promise<TarEntry> {
  const folder = mkdtempSync(join(tmpdir(), "hot-bundle-"));
  try {
    await build({
      config: false,
      tsconfig: join(root, "tsconfig.base.json"),
      entry: { bundle: source },
      outDir: folder,
      format: "esm",
      platform: "node",
      target: "node24",
      bundle: true,
      splitting: false,
      treeshake: false,
      silent: true,
      noExternal: [new RegExp(`^(?!node:${external.map((name) => `|${name}$`).join("")})`)],
      external: [...external],
      banner: { js: requireInModule },
      esbuildOptions: (options) => {
        options.conditions = ["@hot/source", "module", "node"];
        options.legalComments = "eof";
        // Paths in comments must not depend on where the repository lies.
        options.absWorkingDir = root;
      },
    });
    return { path, mode: 0o644, data: readFileSync(join(folder, "bundle.js")) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
