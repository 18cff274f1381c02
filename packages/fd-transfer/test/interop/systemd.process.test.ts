// SPDX-License-Identifier: Apache-2.0
import { get } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, test } from "vitest";
import { notifySystemd, removeStoredFds, storeFds } from "../../src/interop/index.ts";
import { loadNative } from "../../src/native/addon.ts";
import { closing, folder } from "../native/descriptors.ts";
import { ask, cookiesOf, ownAddress } from "./loopback.ts";
import { need, Program } from "./programs.ts";
import { systemd } from "./systemd-manager.ts";

const HOST = ownAddress();
const PORT = 8080;
const node = (fixture: URL): string[] => [process.execPath, "--conditions=@hot/source", fileURLToPath(fixture)];
const activated = node(new URL("fixture/activated.ts", import.meta.url));
const stored = node(new URL("fixture/stored.ts", import.meta.url));

beforeEach((context) => need(context, "systemd-socket-activate", "apt-get install systemd"));

async function said(path: string, options: object = {}): Promise<Record<string, unknown>> {
  const request = get({ path, agent: false, host: HOST, port: PORT, ...options });
  const [response] = await once(request, "response");
  return JSON.parse(await text(response)) as Record<string, unknown>;
}

test("systemd-socket-activate starts Node on its sockets, which are known by name", async () => {
  const path = join(folder(), "s");
  const listen = ["-l", `${HOST}:${PORT}`, "-l", path, "--fdname=http:path"];
  const program = new Program("systemd-socket-activate", [...listen, ...activated]);
  await program.until("it listens", async () => (await ask(HOST, PORT).catch(() => "")) !== "");
  const expected = { pid: program.pid, variables: [], again: 0 };
  expect(await said("/")).toEqual({ name: "http", ...expected });
  expect(await said("/", { host: undefined, port: undefined, socketPath: path })).toEqual({
    name: "path",
    ...expected,
  });
});

test.each(["path", "@"])("what systemd is told arrives on its socket (%s), descriptors included", async (kind) => {
  const dir = folder();
  const address = kind === "@" ? `@${dir}/notify` : `${dir}/notify`;
  const env = { NOTIFY_SOCKET: address };
  const listener = closing(loadNative().listenTcp(HOST, 0, { backlog: 1 }));
  for (const [tell, expected, fds] of [
    [
      async () => storeFds({ "http 1": [listener, listener] }, { env }),
      "FDSTORE=1\nFDNAME=http 1",
      [listener, listener],
    ],
    [async () => removeStoredFds("http 1", { env }), "FDSTOREREMOVE=1\nFDNAME=http 1", []],
    [async () => notifySystemd("READY=1\nSTATUS=well", { env }), "READY=1\nSTATUS=well", []],
  ] as const) {
    const program = new Program(
      "systemd-socket-activate",
      ["-d", "-E", "MODE=datagram", "-l", address, "--fdname=inbox", ...activated],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const output = text(program.child.stdout as NodeJS.ReadableStream);
    let told = false;
    await program.until("it listens", async () => (told = await tell().catch(() => false)));
    expect(told).toBe(true);
    expect(JSON.parse(await output)).toEqual({ text: expected, cookies: cookiesOf(fds).map(String) });
    await program.exited;
  }
});

test("without systemd nothing is said; names and sockets that it cannot have are refused", async () => {
  const fd = closing(loadNative().listenTcp(HOST, 0, { backlog: 1 }));
  expect(await storeFds({ http: [fd] }, { env: {} })).toBe(false);
  const env = { NOTIFY_SOCKET: "vsock:2:1234" };
  await expect(notifySystemd("READY=1", { env })).rejects.toMatchObject({ code: "HOT4034" });
  const gone = { NOTIFY_SOCKET: join(folder(), "none") };
  await expect(notifySystemd("READY=1", { env: gone })).rejects.toMatchObject({ code: "HOT4030" });
  for (const name of ["", "a:b", "a\nb", "é", "x".repeat(256)]) {
    await expect(removeStoredFds(name, { env: gone }), name).rejects.toMatchObject({ code: "HOT4037" });
  }
});

test("a service that crashes gets its listener and its state back from the descriptor store, until it takes them out", async (context) => {
  if (process.geteuid?.() !== 0) context.skip("only root may make the namespaces in which systemd runs here");
  const manager = systemd({
    "default.target": ["[Unit]", "DefaultDependencies=no", "Wants=stored.service"],
    "stored.service": [
      "[Unit]",
      "DefaultDependencies=no",
      "StartLimitIntervalSec=0",
      "[Service]",
      "Type=notify",
      `ExecStart=${stored.join(" ")}`,
      `Environment=HOST=${HOST} PORT=${PORT} STATE=${join(folder(), "state")}`,
      "FileDescriptorStoreMax=8",
      "Restart=always",
      "RestartSec=0",
    ],
  });
  const served = async (): Promise<Record<string, unknown>> => {
    let answer: Record<string, unknown> = {};
    await manager.until("the service has stored", async () => {
      answer = await said("/").catch(() => ({}));
      return answer["stored"] === true;
    });
    return answer;
  };
  const { cookie, ...first } = await served();
  expect(first).toMatchObject({ generation: 1, inherited: false });
  await expect(said("/crash")).rejects.toThrow();
  // Not refused: this waits in the queue, which the store keeps, until the next process is there.
  expect(await said("/")).toMatchObject({ generation: 2, inherited: true, cookie });

  await served();
  await said("/forget");
  await expect(said("/crash")).rejects.toThrow();
  const fresh = await served();
  expect(fresh).toMatchObject({ generation: 1, inherited: false });
  expect(fresh["cookie"]).not.toBe(cookie);
});
