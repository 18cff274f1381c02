// SPDX-License-Identifier: Apache-2.0
// The examples of docs/interop.md and of the README, as they stand there, except for ports and paths.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { descriptorOf, giveMigratedListener, toNginxEnv } from "../../src/interop/index.ts";
import { loadNative } from "../../src/native/addon.ts";
import { closing, folder } from "../native/descriptors.ts";
import { ask, Asking, heldSockets, listeningSocket, ownAddress, socketOf } from "./loopback.ts";
import { eventually, need, Program } from "./programs.ts";

const HOST = ownAddress();
const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(new URL("../../../../docs/interop.md", import.meta.url), "utf8");

/** Each text must be there, so that an example which has changed does not run with the wrong port. */
function adapted(code: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replaceAll(from, to);
  }, code);
}

function example(name: string, changes: Readonly<Record<string, string>> = {}): string[] {
  const code = new RegExp(`\`\`\`ts file=${name}\\n(.*?)\`\`\``, "s").exec(page)?.[1] ?? "";
  expect(code).not.toBe("");
  return command(adapted(code, changes));
}

const command = (code: string): string[] => ["--conditions=@hot/source", "--input-type=module-typescript", "-e", code];

test("nginx: on what was passed on, and on a port of its own", async () => {
  const fd = closing(loadNative().listenTcp(HOST, 8080, { backlog: 8 }));
  const early = ask(HOST, 8080);
  const inherited = new Program(process.execPath, example("nginx"), {
    cwd: root,
    env: { ...process.env, ...toNginxEnv(1) },
    stdio: ["ignore", "ignore", "pipe", fd],
  });
  expect(await early).toBe("hello\n");
  expect(heldSockets(inherited.pid)).toContain(socketOf(fd));
  const own = new Program(process.execPath, example("nginx", { "listen(8080)": `listen(8081, "${HOST}")` }), {
    cwd: root,
  });
  await own.until("it serves", async () => (await ask(HOST, 8081).catch(() => "")) === "hello\n");
});

test("systemd: started by systemd-socket-activate", async (context) => {
  need(context, "systemd-socket-activate", "apt-get install systemd");
  const args = ["-l", `${HOST}:8082`, "--fdname=http", process.execPath, ...example("systemd")];
  const program = new Program("systemd-socket-activate", args, { cwd: root });
  await program.until("it serves", async () => (await ask(HOST, 8082).catch(() => "")) === "hello\n");
});

test("the Go sample: from an old process of its kind to HotHandoff", async () => {
  const path = join(folder(), "migrate.sock");
  const old = createServer((_, response) => {
    void giveMigratedListener(descriptorOf(old), { path }).then(() => {
      response.end("success");
      old.close();
    });
  });
  old.listen(9091, HOST);
  await once(old, "listening");
  onTestFinished(() => void old.close());
  const socket = socketOf(descriptorOf(old));
  const changes = {
    "takeMigratedListener()": `takeMigratedListener({ path: "${path}", url: "http://${HOST}:9091/migrate" })`,
    "{ port: 9091, ...": `{ port: 9091, host: "${HOST}", ...`,
  };
  const env = { ...process.env, HOT_DIR: join(folder(), "d.hot") };
  const next = new Program(process.execPath, example("go-sample", changes), { cwd: root, env });
  await next.until("it has the socket", () => heldSockets(next.pid).includes(socket));
  await eventually("it serves alone", async () => !old.listening && (await ask(HOST, 9091)) === "hello\n");
});

test("the README's: HAProxy gives way to HotHandoff under load, on one socket", async (context) => {
  need(context, "haproxy", "apt-get install haproxy");
  const dir = folder();
  const stats = join(dir, "admin.sock");
  writeFileSync(
    join(dir, "haproxy.cfg"),
    `global\n  stats socket ${stats} level admin expose-fd listeners
defaults\n  mode http\n  timeout client 5s\n  timeout connect 5s\n  timeout server 5s
frontend f\n  bind ${HOST}:8083\n  http-request return status 200 content-type text/plain string haproxy\n`,
  );
  const haproxy = new Program("haproxy", ["-db", "-f", join(dir, "haproxy.cfg")]);
  await haproxy.until("it has its stats socket", () => statSync(stats, { throwIfNoEntry: false }) !== undefined);
  await haproxy.until("it serves", async () => (await ask(HOST, 8083).catch(() => "")) === "haproxy");
  const asking = new Asking(HOST, 8083);
  onTestFinished(async () => asking.stop());
  const socket = listeningSocket(HOST, 8083);

  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [code = ""] =
    /import \{ createServer[^`]*getHaproxySockets[^`]*/.exec(readme.slice(readme.indexOf("## Other programs"))) ?? [];
  const changes = {
    "/run/haproxy/admin.sock": stats,
    "{ port: 8080, ...": `{ port: 8083, host: "${HOST}", ...`,
    "port: 8080": "port: 8083",
  };
  const env = { ...process.env, HOT_DIR: join(dir, "d.hot") };
  const node = new Program(process.execPath, command(adapted(code, changes)), {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [line] = (await once(node.child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  expect(String(line)).toBe("serving on HAProxy's socket\n");
  haproxy.child.kill("SIGUSR1");
  await haproxy.exited;
  const before = asking.answers.get("hello from Node\n") ?? 0;
  await eventually("Node answers alone", () => (asking.answers.get("hello from Node\n") ?? 0) > before + 50);
  await asking.stop();
  expect(asking.failures).toEqual([]);
  expect(heldSockets(node.pid)).toContain(socket);
});
