// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeArchive } from "../../tools/image/archive.ts";
import { startRegistry, type Registry } from "../../tools/image/index.ts";
import { createImage, createLayer } from "../../tools/image/oci.ts";

const folder = mkdtempSync(join(tmpdir(), "hot-registry-test-"));
const layer = createLayer([{ path: "file", mode: 0o644, data: Buffer.alloc(100_000, "layer ") }], false);
const image = (name: string) => createImage(name, "x64", [layer], { entrypoint: ["/file"] });
const [v1, v2, other] = [image("localhost/hot/a:v1"), image("localhost/hot/a:v2"), image("docker.io/hot/a:v1")];
let registry: Registry;

beforeAll(async () => {
  writeArchive(join(folder, "a.tar"), [v1, v2], "x64");
  writeArchive(join(folder, "b.tar"), [other], "x64");
  const archives = [join(folder, "a.tar"), join(folder, "b.tar")];
  registry = await startRegistry({ host: "127.0.0.1", port: 0, archives });
});

afterAll(async () => {
  await registry.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(`${registry.url}/v2/${path}`, init);
const sha256 = (data: Uint8Array): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;

test("an image is pulled by tag: version, manifest, configuration, layer, every digest right", async () => {
  expect((await ask("")).status).toBe(200);
  const head = await ask("hot/a/manifests/v1", { method: "HEAD" });
  const get = await ask("hot/a/manifests/v1");
  const body = await get.bytes();
  for (const { headers, status } of [head, get]) {
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/vnd.oci.image.manifest.v1+json");
    expect(headers.get("docker-content-digest")).toBe(v1.digest);
    expect(headers.get("content-length")).toBe(String(body.length));
  }
  expect(sha256(body)).toBe(v1.digest);
  const { config, layers } = JSON.parse(Buffer.from(body).toString()) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  for (const { digest } of [config, ...layers]) {
    const blob = await ask(`hot/a/blobs/${digest}`);
    expect(blob.headers.get("content-type")).toBe("application/octet-stream");
    expect(sha256(await blob.bytes())).toBe(digest);
  }
});

test("a manifest is found by digest, too", async () => {
  const answer = await ask(`hot/a/manifests/${v2.digest}`);
  expect(sha256(await answer.bytes())).toBe(v2.digest);
});

test("a mirror that stands for a host gets that host's image", async () => {
  expect((await ask("hot/a/manifests/v1?ns=docker.io")).headers.get("docker-content-digest")).toBe(other.digest);
  expect((await ask("hot/a/manifests/v1?ns=localhost")).headers.get("docker-content-digest")).toBe(v1.digest);
  expect((await ask("hot/a/manifests/v1?ns=mirror.test")).headers.get("docker-content-digest")).toBe(v1.digest);
});

test("a pull that was cut goes on where it stopped", async () => {
  const answer = await ask(`hot/a/blobs/${layer.digest}`, { headers: { range: "bytes=50000-" } });
  expect(answer.status).toBe(206);
  expect(answer.headers.get("content-range")).toBe(`bytes 50000-${layer.size - 1}/${layer.size}`);
  expect(Buffer.from(await answer.bytes()).equals(Buffer.from(layer.data).subarray(50_000))).toBe(true);
  expect((await ask(`hot/a/blobs/${layer.digest}`, { headers: { range: `bytes=${layer.size}-` } })).status).toBe(416);
});

test("what is not there is 404 with a code, and nothing can be written", async () => {
  for (const path of [
    "hot/a/manifests/v9",
    "hot/b/manifests/v1",
    `hot/a/blobs/sha256:${"0".repeat(64)}`,
    "hot/a/tags/list",
  ]) {
    const answer = await ask(path);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ errors: [{ code: "MANIFEST_UNKNOWN" }] });
  }
  expect((await ask("hot/a/manifests/v1", { method: "PUT", body: "{}" })).status).toBe(405);
});

test("an image is refused by tag and by digest until it is healed; the others go on", async () => {
  registry.fail("localhost/hot/a:v2", 503);
  expect((await ask("hot/a/manifests/v2")).status).toBe(503);
  expect((await ask(`hot/a/manifests/${v2.digest}`, { method: "HEAD" })).status).toBe(503);
  expect((await ask("hot/a/manifests/v1")).status).toBe(200);
  registry.heal("hot/a:v2");
  expect((await ask("hot/a/manifests/v2")).status).toBe(200);
});

test("a refusal that hangs never answers", async () => {
  registry.fail("hot/a:v2", "hang");
  const before = registry.requestsFor("hot/a:v2");
  const cut = new AbortController();
  const answer = ask("hot/a/manifests/v2", { signal: cut.signal });
  while (registry.requestsFor("hot/a:v2") === before) await ask("");
  cut.abort();
  await expect(answer).rejects.toThrow("aborted");
  registry.heal("hot/a:v2");
});

test("closing twice is fine, and cuts pulls that hang", async () => {
  const short = await startRegistry({ host: "127.0.0.1", port: 0, archives: [join(folder, "a.tar")] });
  short.fail("hot/a:v1", "hang");
  const answer = fetch(`${short.url}/v2/hot/a/manifests/v1`);
  const failed = expect(answer).rejects.toThrow();
  while (short.requestsFor("hot/a:v1") === 0) await fetch(`${short.url}/v2/`);
  await short.close();
  await short.close();
  await failed;
});

test("a port that is taken is an error, and no archive stays open", async () => {
  const options = { host: "127.0.0.1", port: registry.port, archives: [join(folder, "a.tar")] };
  await expect(startRegistry(options)).rejects.toThrow("EADDRINUSE");
});
