// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { descriptorOf, giveMigratedListener, takeMigratedListener } from "../../src/interop/index.ts";
import { loadNative } from "../../src/native/addon.ts";
import { folder } from "../native/descriptors.ts";
import { ask, Asking, heldSockets, listeningSocket, ownAddress, socketOf } from "./loopback.ts";
import { eventually, find, need, Program } from "./programs.ts";

const HOST = ownAddress();
const PORT = 9091;

const built = mkdtempSync(join(tmpdir(), "hot-go-"));
const program = join(built, "sidecar");

/** With the flags of the test cluster's programs, so that the standard library is compiled once for both. */
beforeAll(() => {
  if (find("go") === null) return;
  const cwd = fileURLToPath(new URL("go", import.meta.url));
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "" };
  execFileSync("go", ["build", "-trimpath", "-o", program, "."], { cwd, env });
});
afterAll(() => rmSync(built, { recursive: true, force: true }));
beforeEach((context) => need(context, "go", "https://go.dev/dl"));

/** The Go sidecar and where it waits; it and the test agree on the path of the socket. */
function sidecar(): { start: (env?: NodeJS.ProcessEnv) => Program; path: string; url: string } {
  const path = join(folder(), "migrate.sock");
  const start = (env = {}): Program =>
    new Program(program, [], { env: { ...process.env, ADDRESS: `${HOST}:${PORT}`, SOCKET: path, ...env } });
  return { start, path, url: `http://${HOST}:${PORT}/migrate` };
}

/** A Node sidecar that gives its listener away when it is asked to. */
function nodeServer(name: string, path: string): Server {
  const server = createServer((request, response) => {
    if (request.url !== "/migrate") return response.end(name);
    void giveMigratedListener(descriptorOf(server), { path }).then(
      () => {
        response.end("success");
        server.close();
      },
      () => response.end("failed"),
    );
    return response;
  });
  onTestFinished(() => void server.close());
  return server;
}

const holds = (pid: number, socket: string): boolean => heldSockets(pid).includes(socket);

test("an old Go sidecar is upgraded to a Node one, and that to a Go one, under load and with the same socket", async () => {
  const { start, path, url } = sidecar();
  const old = start();
  await old.until("it serves", async () => (await ask(HOST, PORT).catch(() => "")) === "go");
  const asking = new Asking(HOST, PORT);
  await eventually("Go answers", () => (asking.answers.get("go") ?? 0) > 50);

  using sockets = await takeMigratedListener({ path, url });
  expect(existsSync(path)).toBe(false);
  const fd = sockets.take({ port: PORT });
  const socket = socketOf(fd);
  const node = nodeServer("node", path);
  node.listen({ fd }, 4096);
  await once(node, "listening");
  await eventually("Go has let go", () => !holds(old.pid, socket));
  await eventually("Node answers", () => (asking.answers.get("node") ?? 0) > 50);

  const closed = once(node, "close");
  const next = start({ TAKE: "1" });
  await next.until("it has the socket", () => holds(next.pid, socket));
  const before = asking.answers.get("go") ?? 0;
  await eventually("Go answers", () => (asking.answers.get("go") ?? 0) > before + 50);
  await closed;
  await asking.stop();
  expect(asking.failures).toEqual([]);
  expect(() => descriptorOf(node)).toThrow(/^HOT4037/);
});

test("nobody waits: the answer is no and Node goes on serving; a second try succeeds", async () => {
  const { start, path, url } = sidecar();
  const node = nodeServer("node", path);
  node.listen({ fd: loadNative().listenTcp(HOST, PORT, { backlog: 8 }) });
  await once(node, "listening");
  expect(await (await fetch(url)).text()).toBe("failed");
  expect(await ask(HOST, PORT)).toBe("node");
  const next = start({ TAKE: "1" });
  await next.until("it serves", async () => (await ask(HOST, PORT)) === "go");
});

test("a Go sidecar is upgraded to HotHandoff, that to its next version, and back to Go, under load and with one socket", async () => {
  const { start, path } = sidecar();
  const old = start();
  await old.until("it serves", async () => (await ask(HOST, PORT).catch(() => "")) === "go");
  const socket = listeningSocket(HOST, PORT);
  const asking = new Asking(HOST, PORT);
  onTestFinished(async () => asking.stop());
  const dir = join(folder(), "d.hot");
  const fixture = fileURLToPath(new URL("fixture/from-go.ts", import.meta.url));
  const hot = (version: number): Program => {
    const told = { HOT_DIR: dir, HOST, PORT: String(PORT), SOCKET: path, VERSION: `hot ${version}` };
    const env = { ...process.env, ...told, SIDECARSET_VERSION: String(version) };
    return new Program(process.execPath, ["--conditions=@hot/source", fixture], { env });
  };
  const first = hot(2);
  await first.until("it answers", () => (asking.answers.get("hot 2") ?? 0) > 50);
  old.child.kill("SIGTERM");
  const second = hot(3);
  await second.until("it answers", () => (asking.answers.get("hot 3") ?? 0) > 50);
  first.child.kill("SIGTERM");
  await first.exited;
  const go = asking.answers.get("go") ?? 0;
  const last = start({ TAKE: "1" });
  await last.until("it has the socket", () => holds(last.pid, socket));
  await second.exited;
  await eventually("Go answers alone", () => (asking.answers.get("go") ?? 0) > go + 50);
  await asking.stop();
  expect(asking.failures).toEqual([]);
  expect(listeningSocket(HOST, PORT)).toBe(socket);
});
