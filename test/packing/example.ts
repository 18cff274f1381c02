// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { freePort } from "../../apps/demo/src/free-port.ts";

/** How to start Node: a command, its first arguments, and variables. */
export interface Launcher {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export interface Outcome {
  /** What each of the two processes said first. */
  readonly said: readonly string[];
  /** Of hot-standby, asked about the process that owns. */
  readonly probe: { readonly code: number | null; readonly out: string };
  /** How the second process ended when it was told to. */
  readonly end: unknown;
  /** The answer after that. */
  readonly answer: string;
}

async function firstLine(child: ChildProcess): Promise<string> {
  let all = "";
  child.stdout?.on("data", (chunk) => (all += String(chunk)));
  while (!all.includes("\n")) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("it ended and has said nothing");
    await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
  }
  return all.slice(0, all.indexOf("\n"));
}

/**
 * The README's example, started twice in a project where the package is installed: the second takes over, hot-standby
 * (the last arguments) asks it, then it is told to stop and the first serves again.
 */
export async function runExample(project: string, node: Launcher, standby: readonly string[]): Promise<Outcome> {
  const readme = readFileSync(join(project, "node_modules/@hot/fd-transfer/README.md"), "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const port = await freePort();
  const code = example.replace("port: 8080", `port: ${port}, host: "127.0.0.1"`);
  if (code === example) throw new Error("the example of the README has no port 8080");
  writeFileSync(join(project, "example.ts"), code);
  const dir = join(project, "example.hot");
  const children: ChildProcess[] = [];
  const start = (version: string): ChildProcess => {
    const env = { ...node.env, HOT_DIR: dir, SIDECARSET_VERSION: version };
    const child = spawn(node.command, [...node.args, "example.ts"], {
      cwd: project,
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    return child;
  };
  try {
    const first = await firstLine(start("1"));
    const second = start("2");
    const said = [first, await firstLine(second)];
    const [command = "", ...args] = standby;
    const asking = spawn(command, [...args, "probe"], {
      env: { ...node.env, HOT_DIR: dir, SIDECARSET_VERSION: "2" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [out, [status]] = await Promise.all([text(asking.stdout), once(asking, "exit")]);
    second.kill("SIGTERM");
    const end: unknown = await once(second, "exit");
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
    return { said, probe: { code: status as number | null, out }, end, answer: await response.text() };
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

/** What `runExample` gives when all is well. */
export function expectedOutcome(match: (pattern: RegExp) => unknown): Record<keyof Outcome, unknown> {
  return {
    said: [match(/^serving with epoch \d+ as fresh$/), match(/^serving with epoch \d+ as successor$/)],
    probe: { code: 0, out: match(/owns/) },
    end: [0, null],
    answer: "hello\n",
  };
}
