// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ApiServer, startApiServer } from "../../src/api/server.ts";

let dir: string;
const started: ApiServer[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hot-server-"));
});
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
  await rm(dir, { recursive: true });
});

async function start(options: object = {}): Promise<ApiServer> {
  const server = await startApiServer({ dir, ...options });
  started.push(server);
  return server;
}

const status = (server: ApiServer, token: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const call = request(
      `${server.url}/api/v1/namespaces`,
      { ca: server.caPem, agent: false, headers: { authorization: `Bearer ${token}` } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    call.on("error", reject);
    call.end();
  });

test("listens on loopback and writes a kubeconfig that only its owner can read", async () => {
  const server = await start();
  expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(await readFile(server.kubeconfigPath, "utf8")).toContain(server.url);
  expect(((await stat(server.kubeconfigPath)).mode & 0o777).toString(8)).toBe("600");
  expect(await readFile(join(dir, "ca.crt"), "utf8")).toBe(server.caPem);
});

test("the token opens it, another one does not", async () => {
  const server = await start();
  expect(await status(server, server.token)).toBe(200);
  expect(await status(server, `${server.token}x`)).toBe(401);
  expect(await status(server, "")).toBe(401);
});

test("a taken port is refused with what to do", async () => {
  const { port } = new URL((await start()).url);
  await expect(start({ port: Number(port) })).rejects.toMatchObject({
    name: "StartError",
    code: "LOCAL_ADDRESS",
    message: expect.stringMatching(/choose another port/),
  });
});

test("a folder that cannot be made is refused, and nothing listens", async () => {
  await writeFile(join(dir, "file"), "");
  const { port } = new URL((await start()).url);
  await started.pop()?.stop();
  await expect(start({ dir: join(dir, "file", "below"), port: Number(port) })).rejects.toMatchObject({
    code: "LOCAL_FOLDER",
  });
  await expect(refused(Number(port))).resolves.toBe(true);
});

test("stop ends open watches and frees the port", async () => {
  const server = await start();
  const ended = new Promise<void>((resolve, reject) => {
    const call = request(
      `${server.url}/api/v1/pods?watch=true`,
      { ca: server.caPem, agent: false, headers: { authorization: `Bearer ${server.token}` } },
      (response) => {
        response.resume();
        response.on("close", () => resolve());
        response.on("error", () => resolve());
        started.pop()?.stop().catch(reject);
      },
    );
    call.on("error", reject);
    call.end();
  });
  await ended;
  await expect(refused(Number(new URL(server.url).port))).resolves.toBe(true);
});

const refused = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", () => resolve(true));
  });
