// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { delimiter, join } from "node:path";
import type { Clock } from "@hot/kube";

export interface SpawnSpec {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  stdio: StdioOptions;
  /** The kernel kills the process when this one dies, even by SIGKILL. Costs one more exec at the start. */
  endsWithParent: boolean;
}

export interface ProcessExit {
  /** 128 + signal number after a signal. */
  code: number;
  at: number;
}

/** A command that cannot be started at all. */
export class CommandError extends Error {
  override name = "CommandError";
}

/** A child in a session and process group of its own, so that it can be ended with everything that it started. */
export interface GroupProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves when the process has ended; what is left of its group is killed by then, as a PID namespace would do. */
  readonly exited: Promise<ProcessExit>;
  /** To the process alone, as a container runtime does. False when it has ended. */
  terminate: () => boolean;
  /** SIGKILL to the whole group. */
  kill: () => void;
}

/** Starts a command. Throws a `CommandError` when there is no such program or folder. */
export function startProcess(spec: SpawnSpec, clock: Pick<Clock, "now">): GroupProcess {
  const program = resolveProgram(spec.argv[0], spec.env["PATH"], spec.cwd);
  const words = [program, ...spec.argv.slice(1)];
  const [file = program, ...args] = spec.endsWithParent ? [...deathSignalPrefix(), ...words] : words;
  const child = spawn(file, args, { env: spec.env, cwd: spec.cwd, stdio: spec.stdio, detached: true });
  const { pid } = child;
  let ended = false;
  const killGroup = (): void => signalGroup(pid);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once("exit", (code, signal) => {
      ended = true;
      killGroup();
      resolve({ code: code ?? 128 + signalNumber(signal), at: clock.now() });
    });
    child.once("error", () => resolve({ code: 128, at: clock.now() }));
  });
  if (pid === undefined) throw new CommandError(`exec: ${program}: cannot be started in ${spec.cwd}`);
  return {
    pid,
    child,
    exited,
    terminate: () => !ended && child.kill("SIGTERM"),
    kill: () => {
      if (!ended) killGroup();
    },
  };
}

function signalGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nobody is left in the group
  }
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : (osConstants.signals[signal] ?? 0);
}

/** The file that `name` means, found as a shell finds it; checked here because a wrapper would hide the failure. */
function resolveProgram(name: string | undefined, path = "", cwd = "/"): string {
  if (name === undefined || name === "")
    throw new CommandError("no command: the image has no entrypoint and the container no command");
  const candidates = name.includes("/")
    ? [join(name.startsWith("/") ? "/" : cwd, name)]
    : path.split(delimiter).map((dir) => join(dir, name));
  const found = candidates.find(isExecutable);
  if (found === undefined) throw new CommandError(`exec: "${name}": no such executable file`);
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

let prefix: readonly string[] | undefined;

/** util-linux's `setpriv` asks the kernel for a death signal; where it is missing, left-overs end at the next start. */
function deathSignalPrefix(): readonly string[] {
  prefix ??= findDeathSignal();
  return prefix;
}

function findDeathSignal(): readonly string[] {
  try {
    const setpriv = [resolveProgram("setpriv", process.env["PATH"]), "--pdeathsig", "KILL", "--"];
    const [file = "", ...args] = setpriv;
    return spawnSync(file, [...args, "true"], { stdio: "ignore" }).status === 0 ? setpriv : [];
  } catch {
    return [];
  }
}

/** When a process was started, in clock ticks since boot: with the pid it names one process for ever. Undefined when it does not run. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
