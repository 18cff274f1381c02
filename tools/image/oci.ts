// SPDX-License-Identifier: Apache-2.0
// Layers, configuration and manifest of an image as the OCI image specification 1.0 wants them. Pure.
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { tarPieces, withParents, type TarEntry } from "./tar.ts";

const MEDIA = "application/vnd.oci.image";
/** Media type of every manifest that this tool writes. */
export const MANIFEST_TYPE = `${MEDIA}.manifest.v1+json`;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface Blob extends Descriptor {
  readonly data: Uint8Array;
}

export interface Layer extends Blob {
  /** Digest of the uncompressed layer. */
  readonly diffId: string;
}

/** What a container of an image starts as. */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  readonly ports?: readonly number[];
}

export interface Image {
  /** With registry host and tag. */
  readonly name: string;
  /** Of the manifest. */
  readonly digest: string;
  readonly blobs: readonly Blob[];
}

/** The user of every image; Kubernetes wants a number to prove that it is not root. */
export const USER = "65532:65532";

function digestOf(data: Uint8Array): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

function blob(mediaType: string, data: Uint8Array): Blob {
  return { mediaType, digest: digestOf(data), size: data.length, data };
}

function json(mediaType: string, value: unknown): Blob {
  return blob(mediaType, Buffer.from(JSON.stringify(value)));
}

function describe({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

export function createLayer(files: readonly TarEntry[], gzip: boolean): Layer {
  const tar = Buffer.concat([...tarPieces(withParents(files))]);
  if (!gzip) return { ...blob(`${MEDIA}.layer.v1.tar`, tar), diffId: digestOf(tar) };
  return { ...blob(`${MEDIA}.layer.v1.tar+gzip`, gzipSync(tar)), diffId: digestOf(tar) };
}

/** `node` calls it x64, OCI calls it amd64. */
export function ociArchitecture(arch: string): string {
  return arch === "x64" ? "amd64" : arch;
}

/**
 * The name is part of the configuration, so that two names never share a digest: a container runtime that knows one
 * digest by two names reports either of them.
 */
export function createImage(name: string, arch: string, layers: readonly Layer[], config: ImageConfig): Image {
  const { entrypoint, env = {}, workingDir = "/", ports = [] } = config;
  const configBlob = json(`${MEDIA}.config.v1+json`, {
    architecture: ociArchitecture(arch),
    os: "linux",
    config: {
      User: USER,
      Env: ["PATH=/usr/local/bin", ...Object.entries(env).map(([key, value]) => `${key}=${value}`)],
      Entrypoint: entrypoint,
      WorkingDir: workingDir,
      ExposedPorts: Object.fromEntries(ports.map((port) => [`${port}/tcp`, {}])),
      Labels: { "org.opencontainers.image.ref.name": name, "org.opencontainers.image.licenses": "Apache-2.0" },
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const manifest = json(MANIFEST_TYPE, {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: describe(configBlob),
    layers: layers.map(describe),
  });
  return { name, digest: manifest.digest, blobs: [manifest, configBlob, ...layers] };
}
