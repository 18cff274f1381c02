// SPDX-License-Identifier: Apache-2.0
// What a person meets when something is wrong: one clear message with the next step, exit code ≠ 0, nothing left running.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { program, root } from "../../apps/demo/src/images.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hot-bad-input-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function run(argv: readonly string[], env: Record<string, string> = {}) {
  const [command = "", ...words] = argv;
  const child = spawn(command, words, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

describe("bootstrap", () => {
  const bootstrap = (before = ""): string[] => {
    const script = `${before};process.argv.splice(1, 0, "bootstrap");await import("./tools/bootstrap.mjs")`;
    return [process.execPath, "--input-type=module", "-e", script, "do:test"];
  };
  const outsideOfPnpm = { npm_config_user_agent: "npm/11" };

  test("a cache folder that cannot be written", async () => {
    const { code, output } = await run(bootstrap(), { ...outsideOfPnpm, XDG_CACHE_HOME: "/dev/null/cache" });
    expect(code).toBe(1);
    expect(output).toContain("the cache folder /dev/null/cache/hot cannot be written");
    expect(output).toMatch(/fix: .*XDG_CACHE_HOME/);
  });

  test("a platform that is not supported", async () => {
    const darwin = 'Object.defineProperty(process, "platform", { value: "darwin" })';
    const { code, output } = await run(bootstrap(darwin), { ...outsideOfPnpm, XDG_CACHE_HOME: dir });
    expect(code).toBe(1);
    expect(output).toMatch(/darwin-\w+ is not supported/);
    expect(output).toMatch(/fix: .*Linux/);
  });
});

describe("local up", () => {
  const local = (...words: string[]) => run([...program("demo", "local"), ...words], { TMPDIR: dir });
  afterEach(async () => {
    await local("down");
    expect(await readdir(dir)).toEqual([]);
  });

  test("a port that is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { code, output } = await local("up", "--port", String(port));
    server.close();
    expect(code).toBe(1);
    expect(output).toContain(String(port));
    expect(output).toMatch(/in use|taken/);
  });

  test("an images catalogue with a mistake names the place", async () => {
    const file = join(dir, "images.yaml");
    await writeFile(file, "images:\n  app:v1:\n    entrypoint: node\n");
    const { code, output } = await local("up", "--images", file);
    await rm(file);
    expect(code).toBe(1);
    expect(output).toContain('images["app:v1"].entrypoint');
  });

  test.each([
    [["up", "--port", "many"], "--port many"],
    [["sideways"], "sideways"],
    [["up", "--colour"], "--colour"],
    [[], "up or down"],
  ])("wrong usage %j", async (words, mentioned) => {
    const { code, output } = await local(...words);
    expect(code).toBe(2);
    expect(output).toContain(mentioned);
    expect(output).toContain("Usage:");
  });

  test("up twice is one cluster; down ends it and leaves nothing", async () => {
    const first = await local("--port", "0", "up");
    expect(first).toMatchObject({ code: 0, output: expect.stringContaining("KUBECONFIG=") });
    expect(first.output).toContain("npm run local down"); // what a machine with npm alone can run
    expect(await local("up")).toMatchObject({ code: 0, output: expect.stringContaining("already running") });
    expect(await local("down")).toMatchObject({ code: 0, output: expect.stringContaining("stopped") });
    expect(await local("down")).toMatchObject({ code: 0, output: expect.stringContaining("nothing runs") });
  });
});

test("demo: an unknown flag", async () => {
  const { code, output } = await run([...program("demo", "main"), "--fast"]);
  expect(code).toBe(2);
  expect(output).toContain("--fast");
  expect(output).toContain("Usage:");
});
