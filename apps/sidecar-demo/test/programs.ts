// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** One running program of this app, or hot-standby, as a real process. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  out = "";
  err = "";

  constructor(command: string, args: string[], env: Record<string, string>) {
    this.child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.out += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.err += chunk.toString()));
    // "close", not "exit": what it wrote last has been read by then
    this.ended = once(this.child, "close").then(([code]) => ({
      code: code as number | null,
      out: this.out,
      err: this.err,
    }));
  }

  /** Waits until its output has this; fails when it ends before. */
  async says(text: string): Promise<void> {
    while (!this.out.includes(text)) {
      const output = once(this.child.stdout!, "data").catch(() => undefined);
      const last = await Promise.race([output.then(() => null), this.ended]);
      if (last !== null && !this.out.includes(text)) throw new Error(`ended without "${text}": ${this.out}${this.err}`);
    }
  }

  async stop(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length;
  }
}

/** A pod on this machine: a folder that both sidecars share, ports of its own, and the end of all that was started. */
export class Pod {
  readonly #folder = mkdtempSync(join(tmpdir(), "hot-demo-"));
  readonly #programs: Program[] = [];
  readonly port: number;
  readonly appPort: number;

  private constructor(port: number, appPort: number) {
    this.port = port;
    this.appPort = appPort;
  }

  static async open(): Promise<Pod> {
    return new Pod(await freePort(), await freePort());
  }

  async app(): Promise<Program> {
    const app = this.#node("app", { PORT: String(this.appPort) });
    while (!(await answers(this.appPort))) await new Promise((resolve) => setTimeout(resolve, 20));
    return app;
  }

  /** Starts a sidecar as the SidecarSet would: its own version, and the other side's ("0" = empty). */
  sidecar(version: number, other: number, env: Record<string, string> = {}): Program {
    return this.#node("main", {
      DEMO_VERSION: `v${version}`,
      DEMO_CONTAINER: `sidecar-${2 - (version % 2)}`,
      LISTEN_PORT: String(this.port),
      UPSTREAM_PORT: String(this.appPort),
      HOT_DIR: this.#dir,
      ...versions(version, other),
      ...env,
    });
  }

  /** Runs the hook or the probe of this container. */
  async standby(mode: "migrate" | "probe", version: number, other: number): Promise<Ended> {
    const program = fileURLToPath(new URL("../../../packages/fd-transfer/build/hot-standby", import.meta.url));
    return this.#start(program, [mode], { HOT_DIR: this.#dir, ...versions(version, other) }).ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map(async (program) => program.stop("SIGKILL")));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #dir(): string {
    return join(this.#folder, "sidecar.hot");
  }

  #node(entry: string, env: Record<string, string>): Program {
    const file = fileURLToPath(new URL(`../src/${entry}.ts`, import.meta.url));
    return this.#start(process.execPath, ["--conditions=@hot/source", file], { LISTEN_HOST: "127.0.0.1", ...env });
  }

  #start(command: string, args: string[], env: Record<string, string>): Program {
    const program = new Program(command, args, env);
    this.#programs.push(program);
    return program;
  }
}

function versions(own: number, other: number): Record<string, string> {
  return { SIDECARSET_VERSION: String(own), SIDECARSET_VERSION_ALT: String(other) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`).then(
    (answer) => answer.arrayBuffer().then(() => true),
    () => false,
  );
}
