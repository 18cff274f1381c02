// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { readArchive, writeArchive } from "../../tools/image/archive.ts";
import { createImage, createLayer, type Image } from "../../tools/image/oci.ts";

const folder = mkdtempSync(join(tmpdir(), "hot-archive-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sha256 = (data: Uint8Array): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;
const layer = (text: string, gzip = false) =>
  createLayer([{ path: "file", mode: 0o644, data: Buffer.from(text) }], gzip);
const base = layer("base");
const config = { entrypoint: ["/file"], env: { KEY: "value" }, ports: [80] };

interface Config {
  architecture: string;
  config: { User: string; Entrypoint: string[]; Env: string[] };
  rootfs: { diff_ids: string[] };
}

interface Manifest {
  config: { digest: string; size: number };
  layers: { mediaType: string; digest: string; size: number }[];
}

/** As a runtime does it: from the index to the manifest to the blobs, with every digest and size checked. */
function pull(file: string, name: string): { manifest: Manifest; config: Config; layers: Buffer[] } {
  const fd = openSync(file, "r");
  const { images, blobs } = readArchive(fd);
  closeSync(fd);
  const blob = (digest: string, size?: number): Buffer => {
    const found = blobs.get(digest);
    if (!found) throw new Error(`no blob ${digest}`);
    const data = readFileSync(file).subarray(found.offset, found.offset + found.size);
    expect(sha256(data)).toBe(digest);
    if (size !== undefined) expect(data.length).toBe(size);
    return data;
  };
  const manifest = JSON.parse(blob(images.get(name) ?? "").toString()) as Manifest;
  return {
    manifest,
    config: JSON.parse(blob(manifest.config.digest, manifest.config.size).toString()) as Config,
    layers: manifest.layers.map(({ digest, size }) => blob(digest, size)),
  };
}

function written(name: string, images: readonly Image[]): string {
  const file = join(folder, name);
  writeArchive(file, images, "x64");
  return file;
}

test("every digest and size is that of the bytes, and the configuration names the uncompressed layers", () => {
  const packed = layer("app", true);
  const file = written("one.tar", [createImage("localhost/a:v1", "x64", [base, packed], config)]);
  const { manifest, config: read, layers } = pull(file, "localhost/a:v1");
  expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
  ]);
  expect(read.rootfs.diff_ids).toEqual([sha256(layers[0]!), sha256(gunzipSync(layers[1]!))]);
  expect(read.architecture).toBe("amd64");
  expect(read.config).toMatchObject({ User: "65532:65532", Entrypoint: ["/file"] });
  expect(read.config.Env).toContain("KEY=value");
});

test("a layer that images share is stored once", () => {
  const images = ["a:v1", "b:v1"].map((name) => createImage(name, "x64", [base, layer(name)], config));
  const file = written("two.tar", images);
  const fd = openSync(file, "r");
  // two manifests, two configurations, two own layers, one shared
  expect(readArchive(fd).blobs.size).toBe(7);
  closeSync(fd);
  expect(pull(file, "b:v1").layers[0]).toEqual(pull(file, "a:v1").layers[0]);
});

test("the same input is the same archive, byte by byte", () => {
  const make = (name: string): Buffer =>
    readFileSync(written(name, [createImage("a:v1", "x64", [layer("base"), layer("app")], config)]));
  expect(make("first.tar").equals(make("second.tar"))).toBe(true);
});

test("two names of the same content have two digests: a runtime can tell which one it runs", () => {
  const digests = ["localhost/a:v1", "docker.io/a:v1"].map((name) => createImage(name, "x64", [base], config).digest);
  expect(new Set(digests).size).toBe(2);
});

test("a failed write leaves neither the archive nor a part of it", () => {
  const before = readdirSync(folder);
  const image = createImage("a:v1", "x64", [base], config);
  const broken = { ...image, blobs: [...image.blobs, { ...base, digest: `sha256:${"0".repeat(100)}` }] };
  expect(() => written("broken.tar", [broken])).toThrow("longer than the 100 bytes");
  expect(readdirSync(folder)).toEqual(before);
});

test("a file that is no OCI archive is refused", () => {
  const fd = openSync(process.execPath, "r");
  expect(() => readArchive(fd)).toThrow("no");
  closeSync(fd);
});
