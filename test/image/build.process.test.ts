// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readArchive } from "../../tools/image/archive.ts";
import { catalogue, select } from "../../tools/image/catalogue.ts";
import { buildImages, type BuiltImage } from "../../tools/image/index.ts";
import { writeRootfs } from "../../tools/image/rootfs.ts";
import { sizeTable } from "../../tools/image/size-table.ts";

const folder = mkdtempSync(join(tmpdir(), "hot-build-test-"));
let images: BuiltImage[];

beforeAll(async () => {
  images = await buildImages({ out: folder, allInOne: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Manifest {
  config: { digest: string };
  layers: { digest: string; size: number }[];
}

function blobOf(file: string, digest: string): Buffer {
  const fd = openSync(file, "r");
  const found = readArchive(fd).blobs.get(digest);
  closeSync(fd);
  return readFileSync(file).subarray(found!.offset, found!.offset + found!.size);
}

function built(name: string): BuiltImage & { manifest: Manifest } {
  const image = images.find((one) => one.name === name || one.name === `localhost/${name}`)!;
  return { ...image, manifest: JSON.parse(blobOf(image.file, image.digest).toString()) as Manifest };
}

/** Unpacks an image as a runtime would and returns the folder. */
function unpack(name: string): string {
  const target = mkdtempSync(join(folder, "rootfs-"));
  chmodSync(target, 0o755);
  const { file, manifest } = built(name);
  for (const { digest } of manifest.layers) {
    execFileSync("tar", ["-x", "-f", "-", "-C", target], { input: blobOf(file, digest) });
  }
  return target;
}

function filesIn(rootfs: string): string[] {
  return execFileSync("find", [".", "-type", "f", "-printf", "%P\\n"], { cwd: rootfs, encoding: "utf8" })
    .trim()
    .split("\n")
    .sort();
}

test("the same sources give the same digests, alone as well as together", async () => {
  const names = ["webhook", "sidecar-demo", "standby", "demo-app", "pause", "openkruise/hotupgrade-sample"];
  const again = await buildImages({ names, out: join(folder, "again") });
  const digests = (list: readonly BuiltImage[]) => Object.fromEntries(list.map(({ name, digest }) => [name, digest]));
  expect(digests(again)).toEqual(digests(images));
  expect(new Set(images.map(({ digest }) => digest)).size).toBe(images.length);
});

test("all images on Node share its layer, and the versions of one application all layers", () => {
  const [webhook, app, v1, v2] = ["webhook:dev", "demo-app:v1", "sidecar-demo:v1", "sidecar-demo:v2"].map(
    (name) => built(`hot/${name}`).manifest.layers,
  );
  expect(webhook![0]).toEqual(v1![0]);
  expect(app![0]).toEqual(v1![0]);
  expect(v2).toEqual(v1);
  expect(v1![0]!.size).toBeGreaterThan(50e6);
  expect(webhook![1]!.size).toBeLessThan(10e6);
});

test("the empty image is one program below 1 MB, and the same as in the sidecar's image at the same path", () => {
  expect(built("hot/standby:v1").bytes).toBeLessThan(1e6);
  expect(built("pause:1").bytes).toBeLessThan(1e6);
  expect(filesIn(unpack("pause:1"))).toEqual(["hot-standby"]);
  const standby = unpack("hot/standby:v1");
  expect(filesIn(standby)).toEqual(["etc/group", "etc/passwd", "hot-standby"]);
  expect(
    readFileSync(join(standby, "hot-standby")).equals(readFileSync(join(unpack("hot/sidecar-demo:v1"), "hot-standby"))),
  ).toBe(true);
});

test("an image on Node holds Node, its libraries and the application, nothing else", () => {
  const files = filesIn(unpack("hot/sidecar-demo:v1"));
  const others = files.filter((file) => !/^(usr\/)?lib(64)?\/(.*\/)?[^/]+\.so(\.\d+)*$/.test(file));
  expect(others).toEqual([
    "app/main.js",
    "app/node_modules/@hot/fd-transfer/build/hot-fd.node",
    "app/node_modules/@hot/fd-transfer/dist/index.js",
    "app/node_modules/@hot/fd-transfer/package.json",
    "app/package.json",
    "etc/group",
    "etc/passwd",
    "hot-standby",
    "usr/local/bin/node",
  ]);
});

test("no file of an image names a folder of the machine that made it", () => {
  const here = join(import.meta.dirname, "..", "..");
  for (const name of ["hot/webhook:dev", "hot/sidecar-demo:v1", "hot/demo-app:v1"]) {
    expect(readFileSync(join(unpack(name), "app/main.js"), "utf8")).not.toContain(here);
  }
});

/** Runs a program with the unpacked image as its whole file system. Needs root. */
function runIn(rootfs: string, ...words: string[]) {
  return spawnSync("chroot", ["--userspec=65532:65532", rootfs, ...words], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] },
    timeout: 60_000,
  });
}

test.runIf(process.getuid?.() === 0)("the programs start as user 65532 with nothing but their image", () => {
  const webhook = unpack("hot/webhook:dev");
  expect(runIn(webhook, "/usr/local/bin/node", "/app/main.js", "--help")).toMatchObject({ status: 0, stderr: "" });
  writeFileSync(join(webhook, "kubeconfig"), "{}");
  // Reading a kubeconfig loads what is not in the bundle.
  expect(runIn(webhook, "/usr/local/bin/node", "/app/main.js", "--kubeconfig", "/kubeconfig").stderr).toContain(
    "cannot connect with kubeconfig /kubeconfig: it has no current-context",
  );
  const sidecar = unpack("hot/sidecar-demo:v1");
  const load =
    'import("@hot/fd-transfer").then(({ HotHandoff }) => HotHandoff.open({ name: "x", dir: "/tmp/x" })).then((hot) => { console.log(hot.role); return hot.close(); })';
  writeFileSync(join(sidecar, "app/try.js"), load);
  expect(runIn(sidecar, "/usr/local/bin/node", "/app/try.js")).toMatchObject({
    status: 0,
    stdout: "fresh\n",
    stderr: "",
  });
  expect(runIn(sidecar, "/hot-standby", "probe")).toMatchObject({ status: 0, stderr: "" });
});

test.runIf(process.getuid?.() === 0)("Kruise's example finds its script and a shell, in both images", () => {
  for (const tag of ["empty", "sidecarv1"]) {
    const rootfs = unpack(`docker.io/openkruise/hotupgrade-sample:${tag}`);
    expect(runIn(rootfs, "/bin/sh", "/migrate.sh")).toMatchObject({ status: 0, stderr: "" });
  }
});

test("rootfs writes the files of an image with their modes, whatever the umask is", async () => {
  const [spec] = select(catalogue("dev"), ["sidecar-demo:v1"]);
  const target = join(folder, "written");
  const before = process.umask(0o077);
  await writeRootfs(spec!, target).finally(() => process.umask(before));
  const image = unpack("hot/sidecar-demo:v1");
  expect(filesIn(target)).toEqual(filesIn(image));
  for (const path of filesIn(image)) {
    expect([path, readFileSync(join(target, path)).equals(readFileSync(join(image, path)))]).toEqual([path, true]);
  }
  for (const path of ["tmp", "app", "hot-standby", "etc/passwd", "usr/local/bin/node"]) {
    expect([path, statSync(join(target, path)).mode]).toEqual([path, statSync(join(image, path)).mode]);
  }
});

test("the table has a line for each image", () => {
  const lines = sizeTable(images).trimEnd().split("\n");
  expect(lines).toHaveLength(images.length + 1);
  expect(lines[1]).toMatch(/^localhost\/hot\/webhook:dev +\d+\.\d  sha256:[0-9a-f]{12}  \//);
});
