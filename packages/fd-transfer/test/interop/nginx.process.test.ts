// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { toNginxEnv } from "../../src/interop/index.ts";
import { loadNative } from "../../src/native/addon.ts";
import { closing, folder } from "../native/descriptors.ts";
import { ask, Asking, heldSockets, listeningSocket, ownAddress, socketOf } from "./loopback.ts";
import { eventually, find, need, Program } from "./programs.ts";

const HOST = ownAddress();
const PORT = 8080;

beforeEach((context) => need(context, "nginx", "apt-get install nginx"));

function configuration(dir: string, name: string, daemon: "on" | "off", more = ""): string {
  const file = join(dir, `${name}.conf`);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((of) => `${of}_temp_path ${dir}/${of};`);
  writeFileSync(
    file,
    `daemon ${daemon}; pid ${dir}/${name}.pid; error_log ${dir}/${name}.log; worker_processes 1; ${more}
    events {}
    http {
      access_log off; ${temporary.join(" ")}
      server { listen ${HOST}:${PORT} backlog=777; listen unix:${dir}/n.sock; return 200 ${name}; }
    }`,
  );
  return file;
}

const pidIn = (file: string): number => Number(readFileSync(file, "utf8"));

async function askPath(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, agent: false }, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    });
    asked.on("error", reject).end();
  });
}

/** Ends, after the test, whoever has detached itself from it; with SIGTERM, since nginx then ends its workers too. */
function endedAfterTest(pid: number): number {
  onTestFinished(async () => {
    await eventually(`${pid} has ended`, () => {
      try {
        process.kill(pid, "SIGTERM");
        return !existsSync(`/proc/${pid}/exe`);
      } catch {
        return true;
      }
    });
  });
  return pid;
}

test("nginx changes its binary to Node, and Node to nginx, under load and with the same sockets", async () => {
  const dir = folder();
  const old = configuration(
    dir,
    "old",
    "on",
    ["PORT", "SOCKET", "NEXT", "NEXT_CONFIG"].map((name) => `env ${name};`).join(" "),
  );
  const next = configuration(dir, "next", "off");
  const binary = join(dir, "nginx");
  symlinkSync(find("nginx") ?? "", binary);
  const env = { PORT: String(PORT), SOCKET: `${dir}/n.sock`, NEXT: find("nginx") ?? "", NEXT_CONFIG: next };
  const launcher = new Program("sh", ["-c", `${binary} -e ${dir}/early.log -c ${old}`], { env });
  await launcher.exited;
  await eventually("nginx serves", async () => (await ask(HOST, PORT).catch(() => "")) === "old");
  const master = endedAfterTest(pidIn(join(dir, "old.pid")));
  const socket = listeningSocket(HOST, PORT);
  const asking = new Asking(HOST, PORT);

  const fixture = fileURLToPath(new URL("fixture/as-nginx.ts", import.meta.url));
  const script = `#!/bin/sh\nexec ${process.execPath} --conditions=@hot/source ${fixture}\n`;
  writeFileSync(join(dir, "node"), script, { mode: 0o755 });
  renameSync(join(dir, "node"), binary);
  process.kill(master, "SIGUSR2");
  const isNode = (): string | undefined => [...asking.answers.keys()].find((said) => said.startsWith("node "));
  await eventually("Node answers", () => isNode() !== undefined);
  const node = endedAfterTest(Number(isNode()?.slice(5)));
  expect(heldSockets(node)).toContain(socket);
  process.kill(master, "SIGWINCH");
  process.kill(master, "SIGQUIT");
  await eventually("the old nginx has ended", () => !existsSync(`/proc/${master}/exe`));
  expect(await askPath(`${dir}/n.sock`)).toBe(`node ${node}`);

  process.kill(node, "SIGUSR2");
  await eventually("the next nginx answers", () => asking.answers.has("next"));
  process.kill(node, "SIGQUIT");
  const last = endedAfterTest(pidIn(join(dir, "next.pid")));
  await eventually("Node has let go", () => !heldSockets(node).includes(socket));
  const before = asking.answers.get("next") ?? 0;
  await eventually("the next nginx answers alone", () => (asking.answers.get("next") ?? 0) > before + 50);
  await asking.stop();
  expect(asking.failures).toEqual([]);
  expect(heldSockets(last)).toContain(socket);
  expect(listeningSocket(HOST, PORT)).toBe(socket);
  expect(await askPath(`${dir}/n.sock`)).toBe("next");
});

test("a connection that waited before nginx existed is answered by it, on TCP and on a path", async () => {
  const dir = folder();
  const fds = [
    closing(loadNative().listenTcp(HOST, PORT, { backlog: 8 })),
    closing(loadNative().listenUnix(`${dir}/n.sock`, 8, 0o600)),
    closing(loadNative().listenTcp(HOST, PORT + 1, { backlog: 8 })),
  ];
  const early = [ask(HOST, PORT), askPath(`${dir}/n.sock`)];
  const nginx = new Program("nginx", ["-e", `${dir}/early.log`, "-c", configuration(dir, "new", "off")], {
    env: { ...process.env, ...toNginxEnv(fds.length) },
    stdio: ["ignore", "ignore", "pipe", ...fds],
  });
  await nginx.until("it serves", () => statSync(`${dir}/new.pid`, { throwIfNoEntry: false }) !== undefined);
  expect(await Promise.all(early)).toEqual(["new", "new"]);
  const sockets = fds.map((fd) => socketOf(fd));
  // It has closed the one that its configuration does not know.
  expect(sockets.map((socket) => heldSockets(nginx.pid).includes(socket))).toEqual([true, true, false]);
});
