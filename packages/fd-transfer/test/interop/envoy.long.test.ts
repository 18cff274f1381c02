// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { envoy } from "../../../../test/packing/provision.ts";
import { folder } from "../native/descriptors.ts";
import { ask, Asking, ownAddress } from "./loopback.ts";
import { eventually, need, Program } from "./programs.ts";

// The hook of docs/adapters/envoy.md with real Envoys, each side as PID 1 of a PID namespace of its own, as in a pod.
const HOST = ownAddress();
const PORT = 8080;
const HOOK = fileURLToPath(new URL("../../../../docs/adapters/hot-envoy", import.meta.url));
const ENVOY = envoy();

beforeEach((context) => {
  need(context, "unshare", "apt-get install util-linux");
  if (process.geteuid?.() !== 0) context.skip("only root may make PID namespaces");
});

const type = (name: string): object => ({ "@type": `type.googleapis.com/envoy.extensions.${name}` });
const at = (port: number): object => ({ socket_address: { address: HOST, port_value: port } });

function configuration(says: string): string {
  const route = { match: { prefix: "/" }, direct_response: { status: 200, body: { inline_string: says } } };
  const manager = {
    ...type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "f",
    http_filters: [{ name: "envoy.filters.http.router", typed_config: type("filters.http.router.v3.Router") }],
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [route] }] },
  };
  const filter = { name: "envoy.filters.network.http_connection_manager", typed_config: manager };
  const listeners = [{ name: "f", address: at(PORT), filter_chains: [{ filters: [filter] }] }];
  return JSON.stringify({ admin: { address: at(0) }, static_resources: { listeners } });
}

let pairs = 0;

/** The two containers of a pair: what they share, and what the SidecarSet tells them. */
class Pair {
  readonly dir = folder();
  /** In a pod /dev/shm is its own; here the numbers must be. */
  readonly base = (process.pid % 9000) + 10 * ++pairs;

  constructor() {
    mkdirSync(join(this.dir, "shared"), { mode: 0o700 });
    writeFileSync(join(this.dir, "shared", "serving"), `0 ${this.base} 0\n`);
    onTestFinished(() => {
      for (let base = this.base; base < this.base + 10; base++) rmSync(this.memory(base), { force: true });
    });
  }

  memory(base: number): string {
    return `/dev/shm/envoy_shared_memory_${base}0`;
  }

  env(version: number, other: number): NodeJS.ProcessEnv {
    return {
      ...process.env,
      ENVOY,
      HOT_DIR: join(this.dir, "shared"),
      HOT_ENVOY_ADMIN: join(this.dir, `admin.${version}`),
      HOT_ENVOY_DRAIN_S: "2",
      SIDECARSET_VERSION: String(version),
      SIDECARSET_VERSION_ALT: String(other),
    };
  }

  start(version: number, other: number): Container {
    const file = join(this.dir, `${version}.json`);
    writeFileSync(file, configuration(`v${version}`));
    return new Container(file, this.env(version, other));
  }

  /** Version, how many bases have been used before, epoch. */
  serving(): number[] {
    const text = readFileSync(join(this.dir, "shared", "serving"), "utf8").trim();
    const [version = NaN, base = NaN, epoch = NaN] = text.split(" ").map(Number);
    return [version, base - this.base - 1, epoch];
  }

  /** What the kubelet asks: 0 = yes. */
  async hook(mode: "probe" | "migrate", version: number, other: number): Promise<number> {
    const program = new Program(HOOK, [mode], { env: this.env(version, other) });
    const [code] = (await program.exited) as [number];
    return code;
  }
}

class Container {
  readonly program: Program;

  constructor(configurationFile: string, env: NodeJS.ProcessEnv) {
    const hook = [
      HOOK,
      "run",
      "-c",
      configurationFile,
      "--concurrency",
      "1",
      "-l",
      "error",
      "--drain-strategy",
      "immediate",
    ];
    const args = ["-p", "-f", "--kill-child", "--mount-proc", ...hook];
    this.program = new Program("unshare", args, { env, killSignal: "SIGKILL" });
  }

  /** PID 1 of the container, as this side of the namespace numbers it. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.program;
    process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")), signal);
  }

  /** With everything in it, at once. */
  async die(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
  }

  async ended(): Promise<void> {
    await this.program.exited;
  }
}

async function answers(version: number): Promise<void> {
  await eventually(`v${version} answers`, async () => (await ask(HOST, PORT).catch(() => "")) === `v${version}`);
}

test("three upgrades under load lose nothing; the old Envoy is ended by the new one, and its container on its own terms", async () => {
  const pair = new Pair();
  let old = pair.start(11, 0);
  expect(await pair.hook("migrate", 11, 0)).toBe(0);
  expect(pair.serving()).toEqual([11, 0, 0]);
  const asking = new Asking(HOST, PORT);
  onTestFinished(async () => asking.stop());
  for (const [version, epoch] of [
    [25, 1],
    [32, 2],
    [47, 3],
  ] as const) {
    const before = pair.serving()[0] ?? NaN;
    const next = pair.start(version, before);
    expect(await pair.hook("migrate", version, before)).toBe(0);
    expect(pair.serving()).toEqual([version, 0, epoch]);
    await answers(version);
    // The receipt of the old side, which drains; then the controller empties it.
    expect(await pair.hook("probe", before, version)).toBe(0);
    old.signal("SIGTERM");
    await old.ended();
    expect(await pair.hook("probe", before, version)).not.toBe(0);
    old = next;
  }
  const seen = asking.answers.get("v47") ?? 0;
  await eventually("the last one answers alone", () => (asking.answers.get("v47") ?? 0) > seen + 100);
  await asking.stop();
  expect(asking.failures).toEqual([]);
  expect([...asking.answers.keys()].sort()).toEqual(["v11", "v25", "v32", "v47"]);
});

async function upgraded(): Promise<{ pair: Pair; old: Container; next: Container }> {
  const pair = new Pair();
  const old = pair.start(11, 0);
  expect(await pair.hook("migrate", 11, 0)).toBe(0);
  const next = pair.start(25, 11);
  expect(await pair.hook("migrate", 25, 11)).toBe(0);
  await answers(25);
  return { pair, old, next };
}

test("the new container dies after its takeover: the old one serves again by itself, and the next attempt takes over from it", async () => {
  const { pair, next } = await upgraded();
  await next.die();
  await answers(11);
  await eventually("the record says so", () => pair.serving()[0] === 11);
  expect(pair.serving()).toEqual([11, 1, 0]);
  pair.start(25, 11);
  expect(await pair.hook("migrate", 25, 11)).toBe(0);
  expect(pair.serving()).toEqual([25, 1, 1]);
});

test("an Envoy that was killed while it started does not stop the next one", async () => {
  const pair = new Pair();
  pair.start(11, 0);
  expect(await pair.hook("migrate", 11, 0)).toBe(0);
  // What such a one leaves in the shared memory. Without the hook it is the end of all restarts:
  const memory = readFileSync(pair.memory(pair.base + 1));
  expect([memory.length, memory[96]]).toEqual([104, 0]);
  memory[96] = 1;
  writeFileSync(pair.memory(pair.base + 1), memory);
  const file = join(folder(), "c.json");
  writeFileSync(file, configuration("v25"));
  const place = [
    "--base-id",
    String(pair.base + 1),
    "--restart-epoch",
    "1",
    "--socket-path",
    join(pair.dir, "shared", "hot"),
  ];
  const alone = new Program(ENVOY, [...place, "-c", file, "-l", "critical"]);
  expect(await alone.exited).toEqual([1, null]);
  expect(alone.stderr).toContain("previous envoy process is still initializing");

  pair.start(25, 11);
  expect(await pair.hook("migrate", 25, 11)).toBe(0);
  expect(pair.serving()).toEqual([25, 0, 1]);
  await answers(25);
});

test("the upgrade is called off after the takeover: the old side serves before the new one ends, nothing is refused", async () => {
  const { pair, next } = await upgraded();
  const asking = new Asking(HOST, PORT);
  onTestFinished(async () => asking.stop());
  next.signal("SIGTERM");
  await next.ended();
  await answers(11);
  await asking.stop();
  expect(pair.serving()).toEqual([11, 1, 0]);
  // What waits in the queue of the socket that is closed may be reset: the old side had to bind anew.
  expect(asking.failures.map((error) => (error as { code?: string }).code)).not.toContain("ECONNREFUSED");
});

test("an old container that starts again stands by, says yes, and serves when the new one has died", async () => {
  const { pair, old, next } = await upgraded();
  old.signal("SIGTERM");
  await old.ended();
  pair.start(11, 25);
  await eventually("it says yes", async () => (await pair.hook("probe", 11, 25)) === 0);
  expect(pair.serving()).toEqual([25, 0, 1]);
  await next.die();
  await answers(11);
});
