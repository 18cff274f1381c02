// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { writeArchive } from "./archive.ts";
import { catalogue, fullNames, select, type ImageSpec, type LayerName } from "./catalogue.ts";
import { buildNative, layerFiles } from "./layers.ts";
import { createImage, createLayer, type Image, type Layer } from "./oci.ts";

export interface BuildOptions {
  /** `webhook`, `sidecar-demo:v1`, `localhost/hot/standby:v2`, …; default: all. */
  readonly names?: readonly string[];
  /** Folder of the archives. */
  readonly out: string;
  /** Tag of the webhook; default `dev`. */
  readonly version?: string;
  /** One archive for all images instead of one for each repository. */
  readonly allInOne?: boolean;
  /** Compressed layers: smaller archives, slower to make and to load. */
  readonly gzip?: boolean;
}

export interface BuiltImage {
  /** Such as `localhost/hot/webhook:dev`. Images of `hot/` are in the archive as `docker.io/hot/…`, too. */
  readonly name: string;
  /** The archive; several images may be in one. */
  readonly file: string;
  /** Of the manifest. The same sources, Node and system libraries give the same digest. */
  readonly digest: string;
  /** Of all blobs of this image. */
  readonly bytes: number;
}

async function createLayers(specs: readonly ImageSpec[], gzip: boolean): Promise<Map<LayerName, Layer>> {
  const layers = new Map<LayerName, Layer>();
  for (const name of new Set(specs.flatMap((spec) => spec.layers))) {
    layers.set(name, createLayer(await layerFiles[name](), gzip));
  }
  return layers;
}

function archiveOf(name: string, allInOne: boolean): string {
  return allInOne ? "hot-images.tar" : `${name.slice(0, name.indexOf(":")).replaceAll("/", "-")}.tar`;
}

/** Builds images and writes their archives; `ctr images import` and `kind load image-archive` take them. */
export async function buildImages(options: BuildOptions): Promise<BuiltImage[]> {
  const { names = [], out, version = "dev", allInOne = false, gzip = false } = options;
  const specs = select(catalogue(version), names);
  buildNative();
  const layers = await createLayers(specs, gzip);
  const archives = new Map<string, Image[]>();
  const built: BuiltImage[] = [];
  for (const { name, layers: wanted, config } of specs) {
    const parts = wanted.map((one) => layers.get(one)).filter((one) => one !== undefined);
    const file = join(out, archiveOf(name, allInOne));
    const images = fullNames(name).map((full) => createImage(full, process.arch, parts, config));
    archives.set(file, [...(archives.get(file) ?? []), ...images]);
    for (const { name, digest, blobs } of images.slice(0, 1)) {
      built.push({ name, file, digest, bytes: blobs.reduce((sum, { size }) => sum + size, 0) });
    }
  }
  for (const [file, images] of archives) writeArchive(file, images, process.arch);
  return built;
}
