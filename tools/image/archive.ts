// SPDX-License-Identifier: Apache-2.0
// OCI archives: a tar of an OCI layout, which `ctr images import`, `kind load image-archive` and `podman load` read.
import { closeSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { MANIFEST_TYPE, ociArchitecture, type Blob, type Image } from "./oci.ts";
import { tarMembers, tarPieces, type TarEntry } from "./tar.ts";

const NAME = "io.containerd.image.name";

interface Index {
  readonly manifests: readonly { readonly digest: string; readonly annotations: Readonly<Record<string, string>> }[];
}

function tagOf(name: string): string {
  return name.slice(name.lastIndexOf(":") + 1);
}

/** Blobs that several images share are stored once. The file appears complete or not at all. */
export function writeArchive(file: string, images: readonly Image[], arch: string): void {
  const blobs = new Map<string, Blob>(images.flatMap((image) => image.blobs.map((blob) => [blob.digest, blob])));
  const manifests = images.map(({ name, digest }) => ({
    mediaType: MANIFEST_TYPE,
    digest,
    size: blobs.get(digest)?.size,
    annotations: { [NAME]: name, "org.opencontainers.image.ref.name": tagOf(name) },
    platform: { architecture: ociArchitecture(arch), os: "linux" },
  }));
  const text = (path: string, value: unknown): TarEntry => ({
    path,
    mode: 0o644,
    data: Buffer.from(JSON.stringify(value)),
  });
  const entries = [
    text("oci-layout", { imageLayoutVersion: "1.0.0" }),
    text("index.json", { schemaVersion: 2, manifests }),
    { path: "blobs", mode: 0o755 },
    { path: "blobs/sha256", mode: 0o755 },
    ...[...blobs.values()].map(({ digest, data }) => ({ path: pathOf(digest), mode: 0o644, data })),
  ];
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  try {
    const fd = openSync(temporary, "w");
    try {
      for (const piece of tarPieces(entries)) for (let at = 0; at < piece.length;) at += writeSync(fd, piece, at);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function pathOf(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

/** Where a blob lies in its archive. */
export interface StoredBlob {
  readonly offset: number;
  readonly size: number;
}

export interface ArchiveContent {
  /** Digest of the manifest by full name. */
  readonly images: ReadonlyMap<string, string>;
  /** By digest. */
  readonly blobs: ReadonlyMap<string, StoredBlob>;
}

/**
 * What an archive of `writeArchive` holds; blobs are not read.
 *
 * @param fd the archive; stays open
 * @throws Error when it is none
 */
export function readArchive(fd: number): ArchiveContent {
  const read = (offset: number, length: number): Buffer => {
    const buffer = Buffer.alloc(length);
    return buffer.subarray(0, readSync(fd, buffer, 0, length, offset));
  };
  const blobs = new Map<string, StoredBlob>();
  let index: Index | undefined;
  for (const { path, offset, size } of tarMembers(read)) {
    if (path === "index.json") index = JSON.parse(read(offset, size).toString("utf8")) as Index;
    else if (path.startsWith("blobs/sha256/")) blobs.set(`sha256:${path.slice(13)}`, { offset, size });
  }
  if (index === undefined) throw new Error("this is no OCI archive: it has no index.json");
  const named = index.manifests.map(({ digest, annotations }) => [annotations[NAME] ?? "", digest] as const);
  return { images: new Map(named), blobs };
}
