// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:http";
import { once } from "node:events";
import { execFileSync } from "node:child_process";
import { chmodSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { getHaproxySockets, serveHaproxySockets } from "../../src/interop/index.ts";
import { loadNative } from "../../src/native/addon.ts";
import { closing, folder } from "../native/descriptors.ts";
import { ask, Asking, cookies, cookiesOf, heldSockets, ownAddress, socketOf } from "./loopback.ts";
import { eventually, need, Program } from "./programs.ts";

const HOST = ownAddress();
const FIRST = 20_000;

beforeEach((context) => need(context, "haproxy", "apt-get install haproxy"));

/** A real HAProxy with these `bind` lines, and a stats socket that gives its listeners away. */
async function haproxy(says: string, binds: readonly string[], args: readonly string[] = [], dir = folder()) {
  const stats = join(dir, `${says}.sock`);
  const file = join(dir, `${says}.cfg`);
  const frontend = ["frontend f", ...binds.map((bind) => `  bind ${bind}`)];
  const answer = `  http-request return status 200 content-type text/plain string ${says}`;
  writeFileSync(
    file,
    [
      "global",
      "  maxconn 100",
      `  stats socket ${stats} mode 600 level admin expose-fd listeners`,
      "defaults",
      "  mode http",
      ...["connect", "client", "server"].map((what) => `  timeout ${what} 5s`),
      ...(binds.length === 0 ? [] : [...frontend, answer]),
      "",
    ].join("\n"),
  );
  const program = new Program("haproxy", ["-db", "-f", file, ...args]);
  await program.until("it has its stats socket", () => statSync(stats, { throwIfNoEntry: false })?.isSocket() === true);
  return { program, stats };
}

test.each([1, 252, 253, 600])(
  "all %i listeners of a running HAProxy come over, and it is they themselves",
  async (count) => {
    const binds = count === 1 ? [] : [`${HOST}:${FIRST}-${FIRST + count - 2}`];
    const { program, stats } = await haproxy("old", binds);
    const base = heldSockets();
    const sockets = await getHaproxySockets(stats);
    expect(sockets.size).toBe(count);
    const theirs = new Set(heldSockets(program.pid));
    const ours = [...sockets].map(({ fd }) => socketOf(fd));
    expect(new Set(ours).size).toBe(count);
    expect(ours.every((inode) => theirs.has(inode))).toBe(true);
    const ports = [...sockets].flatMap(({ info: { address } }) =>
      address !== null && "port" in address ? address.port : [],
    );
    expect(ports.sort((a, b) => a - b)).toEqual(Array.from({ length: count - 1 }, (_, index) => FIRST + index));
    expect([...sockets].every(({ info }) => info.accepting)).toBe(true);
    // Under its own name: the kernel knows it by the temporary one of HAProxy.
    closing(sockets.take({ path: stats }));
    sockets.close();
    expect(heldSockets().length).toBe(base.length + 1);
  },
);

test("TCP, both families, an interface and a Unix path are told apart", async () => {
  const dir = folder();
  const binds = [`${HOST}:${FIRST}`, `${HOST}:${FIRST} interface lo`, `::1:${FIRST} v6only`, `unix@${dir}/f.sock`];
  const { stats } = await haproxy("old", binds, [], dir);
  using sockets = await getHaproxySockets(stats);
  expect(() => sockets.take({ port: FIRST, host: HOST })).toThrow(/^HOT4033 SocketNotFound: 2 sockets fit/);
  expect(() => sockets.take({ port: 1 })).toThrow(/0 sockets fit {"port":1} among .*"interfaceName":"lo"/);
  expect(sockets.size).toBe(5);
  const [plain, bound, six, path] = [
    sockets.take({ host: HOST, interfaceName: "" }),
    sockets.take({ interfaceName: "lo" }),
    sockets.take({ host: "::1", port: FIRST }),
    sockets.take({ path: `${dir}/f.sock` }),
  ].map((fd) => loadNative().socketInfo(closing(fd)));
  expect([plain?.domain, bound?.domain, six?.domain, path?.domain]).toEqual([2, 2, 10, 1]);
  expect([plain?.v6only, six?.v6only]).toEqual([false, true]);
  expect(sockets.size).toBe(1);
});

test.each([1, 252, 253, 600])("a real haproxy -x starts on our %i listeners", async (count) => {
  const fds = Array.from({ length: count }, (_, index) =>
    closing(loadNative().listenTcp(HOST, FIRST + index, { backlog: 8 })),
  );
  const dir = folder();
  let taken = 0;
  using door = serveHaproxySockets(
    join(dir, "ours.sock"),
    fds.map((fd) => ({ fd })),
    { onTaken: () => taken++ },
  );
  // Connected before there is a HAProxy: it must answer from the very queue that is ours.
  const early = ask(HOST, FIRST);
  const { stats } = await haproxy("new", [`${HOST}:${FIRST}-${FIRST + count - 1}`], ["-x", door.path], dir);
  expect(await early).toBe("new");
  expect(taken).toBe(1);
  using theirs = await getHaproxySockets(stats);
  closing(theirs.take({ path: stats }));
  expect(cookies(theirs)).toEqual(cookiesOf(fds));
  expect(await ask(HOST, FIRST + count - 1)).toBe("new");
});

test("HAProxy takes a listener with an interface, and a Unix one under its own temporary name", async () => {
  const dir = folder();
  const old = await haproxy(
    "old",
    [`${HOST}:${FIRST} interface lo`, `unix@${dir}/f.sock`, `${HOST}:${FIRST + 1}`],
    [],
    dir,
  );
  using sockets = await getHaproxySockets(old.stats);
  const wanted = [...sockets].filter(
    ({ info }) => info.address !== null && !("port" in info.address && info.address.port > FIRST),
  );
  const identities = cookies(wanted);
  using door = serveHaproxySockets(join(dir, "ours.sock"), [...sockets]);
  old.program.child.kill("SIGKILL");
  await old.program.exited;
  // The stats socket has another name in the new one and is bound anew.
  const { stats } = await haproxy(
    "new",
    [`${HOST}:${FIRST} interface lo`, `unix@${dir}/f.sock`],
    ["-x", door.path],
    dir,
  );
  using theirs = await getHaproxySockets(stats);
  closing(theirs.take({ path: stats }));
  expect(theirs.size).toBe(2);
  expect(cookies(theirs).every((cookie) => identities.includes(cookie))).toBe(true);
});

test.runIf(process.geteuid?.() === 0)(
  "a listener in another network namespace is known by its name, both ways",
  async (context) => {
    need(context, "ip", "apt-get install iproute2");
    const namespace = `hot-${process.pid}`;
    execFileSync("ip", ["netns", "add", namespace]);
    onTestFinished(() => void execFileSync("ip", ["netns", "del", namespace]));
    const binds = [`0.0.0.0:${FIRST} namespace ${namespace}`];
    const old = await haproxy("old", binds);
    using sockets = await getHaproxySockets(old.stats);
    expect(() => sockets.take({ port: FIRST, namespace: "" })).toThrow(/^HOT4033/);
    const fd = closing(sockets.take({ port: FIRST, namespace }));
    using door = serveHaproxySockets(join(folder(), "ours.sock"), [{ fd, namespace }]);
    old.program.child.kill("SIGTERM");
    await old.program.exited;
    const next = await haproxy("next", binds, ["-x", door.path]);
    using theirs = await getHaproxySockets(next.stats);
    expect(cookiesOf([closing(theirs.take({ port: FIRST, namespace }))])).toEqual(cookiesOf([fd]));
  },
);

test("from HAProxy to Node and back to HAProxy under load: no connection is refused or reset", async () => {
  const old = await haproxy("old", [`${HOST}:${FIRST}`]);
  const asking = new Asking(HOST, FIRST);
  await eventually("the old one answers", () => (asking.answers.get("old") ?? 0) > 50);

  using sockets = await getHaproxySockets(old.stats);
  const fd = sockets.take({ port: FIRST });
  const { cookie } = loadNative().socketInfo(fd);
  using door = serveHaproxySockets(join(folder(), "ours.sock"), [{ fd }]);
  const node = createServer((_, response) => response.end("node"));
  node.listen({ fd }, 4096);
  await once(node, "listening");
  onTestFinished(() => void node.close());
  old.program.child.kill("SIGUSR1");
  await old.program.exited;
  await eventually("Node answers", () => (asking.answers.get("node") ?? 0) > 50);

  const next = await haproxy("next", [`${HOST}:${FIRST}`], ["-x", door.path]);
  using theirs = await getHaproxySockets(next.stats);
  expect([...theirs].map(({ info }) => info.cookie)).toContain(cookie);
  await new Promise((resolve) => node.close(resolve));
  door.close();
  const before = asking.answers.get("next") ?? 0;
  await eventually("the next one answers alone", () => (asking.answers.get("next") ?? 0) > before + 50);
  await asking.stop();
  expect(asking.failures).toEqual([]);
});

/** What a Node process says that runs this with `getHaproxySockets` and the path as `path`. */
async function inChild(code: string, path: string, shell = "exec"): Promise<string> {
  const all = `import { getHaproxySockets } from "@hot/fd-transfer/interop";
    import { readdirSync } from "node:fs";
    const path = process.env.STATS;
    ${code}`;
  const node = [process.execPath, "--conditions=@hot/source", "--input-type=module-typescript", "-e", all];
  const child = new Program("sh", ["-c", `${shell} "$0" "$@"`, ...node], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { ...process.env, STATS: path },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return text(child.child.stdout as NodeJS.ReadableStream);
}

test("a process without room for all of them keeps none, and says what to raise", async () => {
  const { stats } = await haproxy("old", [`${HOST}:${FIRST}-${FIRST + 250}`]);
  const code = `
    const before = readdirSync("/proc/self/fd").length;
    const error = await getHaproxySockets(path).catch((thrown) => thrown);
    console.log(error.code, readdirSync("/proc/self/fd").length - before);`;
  expect(await inChild(code, stats, "ulimit -n 100 && exec")).toBe("HOT4035 0\n");
});

test.runIf(process.geteuid?.() === 0)(
  "another user gets nothing from our door, whatever the mode of the path",
  async () => {
    const dir = folder();
    chmodSync(dir, 0o755);
    const fd = closing(loadNative().listenTcp(HOST, 0, { backlog: 1 }));
    const failed: unknown[] = [];
    using door = serveHaproxySockets(join(dir, "s"), [{ fd }], {
      mode: 0o666,
      onFailed: (error) => failed.push(error),
    });
    const code = `console.log((await getHaproxySockets(path).catch((thrown) => thrown)).code ?? "got them");`;
    expect(await inChild(code, door.path)).toBe("got them\n");
    expect(failed).toEqual([]);
    expect(await inChild(`process.setgid(65534); process.setuid(65534); ${code}`, door.path)).toBe("HOT4032\n");
    expect(String(failed)).toContain("user 65534");
  },
);

test("a HAProxy that may not give its listeners says nothing, and the error says what to add", async () => {
  const dir = folder();
  const cfg = join(dir, "plain.cfg");
  const stats = join(dir, "plain.sock");
  writeFileSync(cfg, `global\n  stats socket ${stats} level admin\ndefaults\n  timeout client 1s\n`);
  const program = new Program("haproxy", ["-db", "-f", cfg]);
  await program.until("it has its stats socket", () => statSync(stats, { throwIfNoEntry: false }) !== undefined);
  await expect(getHaproxySockets(stats)).rejects.toMatchObject({
    code: "HOT4032",
    fix: expect.stringContaining("expose-fd listeners"),
  });
  await expect(getHaproxySockets(join(dir, "none"))).rejects.toMatchObject({ code: "HOT4030" });
});
