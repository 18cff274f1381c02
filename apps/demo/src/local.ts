// SPDX-License-Identifier: Apache-2.0
// `npm run local up | down`: the embedded cluster without the demo, for a person with kubectl and manifests of their own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { loadCatalogue } from "@hot/local";
import { demoImages, program } from "./images.ts";
import { startPlatform } from "./platform.ts";

const usage = `Usage: npm run local -- up [--images FILE] [--port PORT]
       npm run local down

Starts or stops on this machine a Kubernetes API, a node that runs containers
as processes, and the webhook application.

  --images FILE  YAML or JSON that maps image names to commands, added to those
                 of the samples (see packages/local/README.md)
  --port PORT    port of the API on 127.0.0.1 (default: 0, any free one)
`;

const START_MS = 60_000;
const STOP_MS = 60_000;

const dir = join(tmpdir(), `hot-local-${userInfo().uid}`);
const pidFile = join(dir, "pid");
const readyFile = join(dir, "ready");
const logFile = `${dir}.log`;

class UsageError extends Error {}

/** The process that holds the cluster, if it lives. A pid that another program has got meanwhile does not count. */
async function runningPid(): Promise<number | undefined> {
  const pid = await readFile(pidFile, "utf8").then(Number, () => undefined);
  if (pid === undefined) return undefined;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return commandLine.includes("local") && commandLine.includes("serve") ? pid : undefined;
}

async function up(flags: readonly string[]): Promise<string> {
  if ((await runningPid()) !== undefined) return `already running\n${await hints()}`;
  await rm(dir, { recursive: true, force: true });
  const output = await open(logFile, "w");
  const [command = process.execPath, ...rest] = program("demo", "local");
  const child = spawn(command, [...rest, "serve", ...flags], {
    detached: true,
    stdio: ["ignore", output.fd, output.fd],
  });
  await output.close();
  const deadline = Date.now() + START_MS;
  while (!existsSync(readyFile)) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill("SIGTERM");
      const log = await readFile(logFile, "utf8");
      await rm(logFile);
      throw new Error(`the cluster did not start:\n${log.trim()}`);
    }
    await sleep(50);
  }
  child.unref();
  return `running\n${await hints()}`;
}

async function hints(): Promise<string> {
  return `  export KUBECONFIG=${await readFile(readyFile, "utf8")}
  kubectl apply -f samples/hotupgrade
  kubectl get pods,sidecarsets
  npm run local down`;
}

async function down(): Promise<string> {
  const pid = await runningPid();
  if (pid === undefined) return "nothing runs";
  process.kill(pid, "SIGTERM");
  const deadline = Date.now() + STOP_MS;
  while ((await runningPid()) !== undefined) {
    if (Date.now() > deadline) throw new Error(`process ${pid} does not end; its log: ${logFile}`);
    await sleep(50);
  }
  await rm(logFile, { force: true });
  return "stopped";
}

async function serve(images: string | undefined, port: number): Promise<void> {
  const catalogue = demoImages();
  if (images !== undefined) Object.assign(catalogue.images, loadCatalogue(images).images);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeFile(pidFile, String(process.pid));
  const stop = once(process, "SIGTERM");
  try {
    const platform = await startPlatform({ dir, images: catalogue, apiPort: port });
    try {
      await writeFile(readyFile, platform.kubeconfigPath);
      await Promise.race([stop, platform.failed]);
    } finally {
      await platform.stop();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const words = process.argv.slice(2).filter((word) => word !== "--");
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      images: { type: "string" },
      port: { type: "string", default: "0" },
      help: { type: "boolean", short: "h" },
    },
  });
  const { images } = values;
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) throw new UsageError(`--port ${values.port} is no port`);
  const flags = ["--port", values.port, ...(images === undefined ? [] : ["--images", images])];
  const [command, ...more] = positionals;
  if (values.help) process.stdout.write(usage);
  else if (more.length > 0) throw new UsageError(`unexpected word: ${more[0]}`);
  else if (command === "up") process.stdout.write(`${await up(flags)}\n`);
  else if (command === "down") process.stdout.write(`${await down()}\n`);
  else if (command === "serve") await serve(images, port);
  else throw new UsageError(command === undefined ? "up or down?" : `unknown command: ${command}`);
}

try {
  await main();
} catch (error) {
  const wrongUsage = error instanceof UsageError || (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS");
  process.stderr.write(`local: ${(error as Error).message}\n${wrongUsage ? `\n${usage}` : ""}`);
  process.exitCode = wrongUsage ? 2 : 1;
}
