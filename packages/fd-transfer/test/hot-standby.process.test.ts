// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { folder } from "./native/descriptors.ts";
import { ProbeServer } from "./probe-server.ts";

const program = fileURLToPath(new URL("../build/hot-standby", import.meta.url));

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function start(args: string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function end(child: ChildProcess): Promise<Ended> {
  const [[code], out, err] = await Promise.all([
    once(child, "exit") as Promise<[number | null]>,
    text(child.stdout!),
    text(child.stderr!),
  ]);
  return { code, out, err };
}

const run = async (args: string[], env: Record<string, string> = {}): Promise<Ended> => end(start(args, env));
const quiet = { code: 0, out: "", err: "" };

describe("probe", () => {
  test.each([{}, { SIDECARSET_VERSION: "" }, { SIDECARSET_VERSION: "0" }, { SIDECARSET_VERSION: "000" }])(
    "the empty side %o is always fine, without any process",
    async (env) => {
      expect(await run(["probe", "--dir", "/nonexistent"], env)).toEqual(quiet);
    },
  );

  test("yes and its sentence, in UTF-8", async () => {
    const dir = folder();
    using _ = new ProbeServer(join(dir, "probe.12.sock"), () => "+owns since ½ s – и работает");
    expect(await run(["probe", "--dir", dir], { SIDECARSET_VERSION: "12" })).toEqual({
      ...quiet,
      out: "owns since ½ s – и работает\n",
    });
  });

  test("no and its sentence", async () => {
    const dir = folder();
    const path = join(dir, "probe.12.sock");
    using _ = new ProbeServer(path, () => "-waits for the old side");
    expect(await run(["probe", "--dir", dir], { SIDECARSET_VERSION: "12" })).toEqual({
      code: 1,
      out: "",
      err: `${path}: waits for the old side\n`,
    });
  });

  test.each([
    ["close", "closed without an answer"],
    ["silence", "does not answer"],
    ["ready", "neither + nor -"],
  ] as const)("an answer like %s is no yes", async (reply, reason) => {
    const dir = folder();
    using _ = new ProbeServer(join(dir, "probe.12.sock"), () => reply);
    const { code, out, err } = await run(["probe", "--dir", dir], { SIDECARSET_VERSION: "12" });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(reason);
  });

  test("nobody there, and a socket left over by a dead process, are no", async () => {
    const dir = folder();
    const path = join(dir, "probe.12.sock");
    const env = { SIDECARSET_VERSION: "12" };
    const { code, err } = await run(["probe", "--dir", dir], env);
    expect(code).toBe(1);
    expect(err.split("\n")[0]).toBe(`${path}: No such file or directory`);
    new ProbeServer(path, () => "+")[Symbol.dispose]();
    expect(await run(["probe", "--dir", dir], env)).toMatchObject({ code: 1, err: `${path}: Connection refused\n` });
  });

  test("asks its own version only: another one's yes is not ours", async () => {
    const dir = folder();
    using _ = new ProbeServer(join(dir, "probe.11.sock"), () => "+");
    expect(await run(["probe", "--dir", dir], { SIDECARSET_VERSION: "12" })).toMatchObject({ code: 1 });
  });

  test("--dir goes before HOT_DIR, and leading zeros do not count", async () => {
    const dir = folder();
    using _ = new ProbeServer(join(dir, "probe.12.sock"), () => "+");
    const env = { SIDECARSET_VERSION: "0012" };
    expect(await run(["probe"], { ...env, HOT_DIR: dir })).toMatchObject({ code: 0 });
    expect(await run(["probe", "--dir", dir], { ...env, HOT_DIR: "/nonexistent" })).toMatchObject({ code: 0 });
    expect(await run(["probe"], { ...env, HOT_DIR: "/nonexistent" })).toMatchObject({ code: 1 });
  });
});

describe("the directory is the one that HotHandoff.open takes with the same name and environment", () => {
  const env = { SIDECARSET_VERSION: "12" };

  test("--name is /dev/shm/NAME.hot", async () => {
    const name = `hot-standby.test-${process.pid}`;
    const dir = `/dev/shm/${name}.hot`;
    mkdirSync(dir, { mode: 0o700 });
    onTestFinished(() => rmSync(dir, { recursive: true }));
    using _ = new ProbeServer(join(dir, "probe.12.sock"), () => "+");
    expect(await run(["probe", "--name", name], env)).toMatchObject({ code: 0 });
    expect(await run(["migrate", "--name", name], { ...env, SIDECARSET_VERSION_ALT: "11" })).toMatchObject({ code: 0 });
    expect(await run(["probe", "--name", name], { ...env, HOT_DIR: "" })).toMatchObject({ code: 0 });
  });

  test("--dir goes before HOT_DIR, and HOT_DIR before --name, as in the library", async () => {
    const dir = folder();
    using _ = new ProbeServer(join(dir, "probe.12.sock"), () => "+");
    expect(await run(["probe", "--name", "none"], { ...env, HOT_DIR: dir })).toMatchObject({ code: 0 });
    const args = ["probe", "--name", "none", "--dir", dir];
    expect(await run(args, { ...env, HOT_DIR: "/nonexistent" })).toMatchObject({ code: 0 });
  });

  test.each([
    [["--dir", "/nonexistent/a"], {}, "/nonexistent/a (--dir)"],
    [["--name", "none"], { HOT_DIR: "/nonexistent/b" }, "/nonexistent/b ($HOT_DIR)"],
    [["--name", "hot-standby.none"], {}, "/dev/shm/hot-standby.none.hot (--name)"],
    [[], {}, "/dev/shm/hot (the default)"],
  ])("no socket there: %j %j says where it looked and how to set it", async (args, more, where) => {
    const asked = await run(["probe", ...args], { SIDECARSET_VERSION: "4711", ...more });
    expect(asked).toMatchObject({ code: 1, out: "" });
    expect(asked.err).toContain(`directory: ${where}`);
    expect(asked.err).toMatch(/fix: .*HOT_DIR.*--name NAME.*open\(\{ name: NAME \}\)/s);
    const env = { SIDECARSET_VERSION: "4711", SIDECARSET_VERSION_ALT: "7", ...more };
    const waited = await run(["migrate", "--timeout", "0", ...args], env);
    expect(waited).toMatchObject({ code: 1, out: "" });
    expect(waited.err).toContain(`directory: ${where}`);
    expect(waited.err).toMatch(/fix: .*HOT_DIR.*--name NAME/s);
  });
});

describe("migrate", () => {
  test.each([
    ["0", "7", "the empty side"],
    ["", "7", "the empty side"],
    ["7", "0", "nothing to take over"],
    ["7", "", "nothing to take over"],
    ["9", "10", "the older side, restarted"],
    ["7", "8", "the older side, restarted"],
    ["99999999999999999999", "100000000000000000000", "the older side, beyond 64 bits"],
    ["8", "0000010", "the older side, leading zeros"],
  ])("VERSION %j, ALT %j ends at once: %s", async (version, other) => {
    const env = { SIDECARSET_VERSION: version, SIDECARSET_VERSION_ALT: other, HOT_DIR: "/nonexistent" };
    expect(await run(["migrate", "--timeout", "60"], env)).toEqual(quiet);
  });

  const newer = { SIDECARSET_VERSION: "100000000000000000000", SIDECARSET_VERSION_ALT: "99999999999999999999" };
  const socket = `probe.${newer.SIDECARSET_VERSION}.sock`;

  test("the newer side waits until its own process says yes", async () => {
    const dir = folder();
    using server = new ProbeServer(join(dir, socket), (question) => (question < 5 ? "-not yet" : "+took over"));
    expect(await run(["migrate", "--dir", dir], newer)).toEqual({ ...quiet, out: "took over\n" });
    expect(server.questions).toBe(5);
  });

  test("the process may come late, die and come again", async () => {
    const dir = folder();
    const path = join(dir, socket);
    const child = start(["migrate", "--dir", dir, "--timeout", "30"], newer);
    const ended = end(child);
    await delay(50);
    {
      using server = new ProbeServer(path, () => "-not yet");
      while (server.questions < 2) await delay(5);
    }
    rmSync(path);
    expect(child.exitCode).toBeNull();
    using _ = new ProbeServer(path, () => "+took over");
    expect(await ended).toEqual({ ...quiet, out: "took over\n" });
  });

  test("a timeout says what, where, why and what to do", async () => {
    const dir = folder();
    using _ = new ProbeServer(join(dir, socket), () => "-the old side is busy");
    const { code, out, err } = await run(["migrate", "--dir", dir, "--timeout", "1"], newer);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(`version ${newer.SIDECARSET_VERSION} has not taken over within 1 s`);
    expect(err).toContain(`where: ${join(dir, socket)}`);
    expect(err).toContain("why: the old side is busy");
    expect(err).toContain("fix: read the log of this container");
  });

  test("a process that never answers does not hold it up beyond its timeout", async () => {
    const dir = folder();
    using server = new ProbeServer(join(dir, socket), () => "silence");
    const { code, err } = await run(["migrate", "--dir", dir, "--timeout", "2"], newer);
    expect(code).toBe(1);
    expect(err).toContain("why: the process does not answer");
    expect(server.questions).toBeGreaterThan(1);
  });

  test("timeout 0 asks once", async () => {
    const { code, err } = await run(["migrate", "--dir", folder(), "--timeout", "0"], newer);
    expect(code).toBe(1);
    expect(err).toContain("why: No such file or directory");
  });
});

describe("pause", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("waits, and ends with 0 at %s", async (signal) => {
    const child = start(["pause"]);
    const ended = end(child);
    await waitsForSignal(child.pid!);
    child.kill(signal);
    expect(await ended).toEqual(quiet);
  });

  const namespaces = spawnSync("unshare", ["-p", "-f", "true"]).status === 0;
  test.skipIf(!namespaces)("ends at TERM as PID 1 of a PID namespace, where default actions are ignored", async () => {
    const unshare = spawn("unshare", ["-p", "-f", "--kill-child", program, "pause"], { stdio: "ignore" });
    onTestFinished(() => void unshare.kill("SIGKILL"));
    const ended = once(unshare, "exit");
    const children = `/proc/${unshare.pid}/task/${unshare.pid}/children`;
    while (readFileSync(children, "utf8") === "") await delay(5);
    const pid = Number(readFileSync(children, "utf8"));
    await waitsForSignal(pid);
    process.kill(pid, "SIGTERM");
    expect(await ended).toEqual([0, null]);
  });

  /** Sleeping in the program itself: a signal before its start would meet the default action of `unshare` or node. */
  async function waitsForSignal(pid: number): Promise<void> {
    while (!readFileSync(`/proc/${pid}/stat`, "utf8").includes("(hot-standby) S")) await delay(5);
  }
});

describe("bad usage is exit 2 with the usage, and nothing is done", () => {
  const version = { SIDECARSET_VERSION: "2", SIDECARSET_VERSION_ALT: "1" };
  test.each([
    [[], {}],
    [["serve"], {}],
    [["pause", "--dir", "/tmp"], {}],
    [["probe", "--timeout", "1"], {}],
    [["probe", "--dir"], {}],
    [["probe", "--name"], version],
    [["probe", "--name", ""], version],
    [["probe", "--name", "../x"], version],
    [["probe", "--name", ".x"], version],
    [["probe", "--name", "x".repeat(64)], version],
    [["pause", "--name", "x"], {}],
    [["probe", "extra"], {}],
    [["migrate", "--timeout", "-1"], {}],
    [["migrate", "--timeout", "1s"], {}],
    [["migrate", "--timeout", "9999999"], {}],
    [["migrate", "--timeout", ""], {}],
    [["probe", "--dir", `/${"x".repeat(120)}`], version],
    [["probe"], { SIDECARSET_VERSION: "../../etc" }],
    [["migrate"], { ...version, SIDECARSET_VERSION_ALT: "1x" }],
  ])("%j %j", async (args, env: Record<string, string>) => {
    const { code, out, err } = await run(args, env);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^hot-standby: .+\n\nusage: /);
  });

  test("--help is no mistake", async () => {
    const { code, out } = await run(["--help"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^usage: /);
  });
});

test("it is one file of well under 1 MB", () => {
  expect(statSync(program).size).toBeLessThan(1_000_000);
});
