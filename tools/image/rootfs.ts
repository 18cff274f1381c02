// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageSpec } from "./catalogue.ts";
import { buildNative, layerFiles } from "./layers.ts";
import { withParents } from "./tar.ts";

/** Writes the files of an image into a folder, which may exist: for engines that make the image themselves. */
export async function writeRootfs({ layers }: ImageSpec, folder: string): Promise<void> {
  buildNative();
  mkdirSync(folder, { recursive: true });
  for (const layer of layers) {
    for (const { path, mode, data } of withParents(await layerFiles[layer]())) {
      const target = join(folder, path);
      if (data === undefined) mkdirSync(target, { recursive: true });
      else writeFileSync(target, data);
      chmodSync(target, mode); // whatever the umask is
    }
  }
}
