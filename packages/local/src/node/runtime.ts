// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { ImageEntry } from "../catalogue.ts";
import { withPaths } from "./command.ts";
import { sleep, type Clock } from "@hot/kube";
import { runIn, type ExecOptions, type ExecResult } from "./exec.ts";
import type { Exit, Instance } from "./instance.ts";
import { CommandError, startProcess, type GroupProcess } from "./process.ts";
import { ProcessMark } from "./process-mark.ts";
import { Sandboxes } from "./sandbox.ts";

/** What a start needs besides what the status will show. */
export interface StartSpec extends Omit<Instance, "id" | "startedAt" | "exit"> {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  entry: ImageEntry;
}

interface Held {
  instance: Instance;
  process?: GroupProcess;
  env: Readonly<Record<string, string>>;
  cwd: string;
  entry: ImageEntry;
  /** Aborts when the container ends: whatever runs inside it ends with it. */
  readonly ended: AbortController;
}

/** A container that ended keeps its place in the status as `lastState`; older ones are forgotten. */
const KEPT_INSTANCES = 2;

/**
 * The container runtime: it starts and ends containers as OS processes and knows what runs. It decides nothing, and it
 * outlives the kubelet above it, as containerd does: a kubelet that starts again finds its containers running.
 */
export class Runtime {
  readonly sandboxes: Sandboxes;
  readonly #clock: Clock;
  readonly #mark: ProcessMark;
  readonly #pods = new Map<string, Held[]>();
  #listener: ((uid: string) => void) | undefined;

  constructor(options: { dir: string; clock: Clock }) {
    this.#clock = options.clock;
    this.#mark = new ProcessMark(options.dir);
    this.sandboxes = new Sandboxes(options.dir, this.#mark.foundEarlier);
  }

  /** One listener is told the uid of a pod after any of its containers started or ended. */
  onChange(listener: ((uid: string) => void) | undefined): void {
    this.#listener = listener;
  }

  /** The uids of all pods that have containers. */
  pods(): string[] {
    return [...this.#pods.keys()];
  }

  /** The containers of a pod, newest first. */
  instances(uid: string): Instance[] {
    return (this.#pods.get(uid) ?? []).map((held) => held.instance);
  }

  /** Starts a container. Throws a `CommandError` (and keeps an ended instance) when its program cannot be started. */
  start(uid: string, spec: StartSpec): Instance {
    const { argv, entry, ...shown } = spec;
    const env = { ...spec.env, ...this.#mark.env };
    const sandbox = this.sandboxes.create(uid);
    const folder = join(sandbox.dir, spec.container);
    const cwd = join(folder, String(spec.restartCount));
    mkdirSync(cwd, { recursive: true });
    const instance = Object.freeze({
      ...shown,
      id: `local://${randomBytes(32).toString("hex")}`,
      startedAt: this.#clock.now(),
    });
    const held: Held = { instance, env, cwd, entry, ended: new AbortController() };
    const log = openSync(join(folder, `${spec.restartCount}.log`), "a");
    try {
      const started = startProcess({ argv, env, cwd, stdio: ["ignore", log, log], endsWithParent: true }, this.#clock);
      held.process = started;
      void started.exited.then(({ code, at }) =>
        this.#ended(uid, held, { code, reason: code === 0 ? "Completed" : "Error", finishedAt: at }),
      );
      this.#hold(uid, held);
      return instance;
    } catch (error) {
      this.#hold(uid, held);
      if (error instanceof CommandError) {
        this.#ended(uid, held, {
          code: 128,
          reason: "StartError",
          message: error.message,
          finishedAt: this.#clock.now(),
        });
      }
      throw error;
    } finally {
      closeSync(log);
    }
  }

  /** TERM, then KILL to the whole group after `graceMs` or when `hurry` aborts. Resolves when the container has ended. */
  async stop(id: string, graceMs: number, hurry?: AbortSignal): Promise<void> {
    const running = this.#running(id)?.process;
    if (running === undefined) return;
    running.terminate();
    const done = new AbortController();
    const grace = sleep(
      this.#clock,
      graceMs,
      hurry === undefined ? done.signal : AbortSignal.any([hurry, done.signal]),
    );
    await Promise.race([running.exited, grace]);
    done.abort();
    running.kill();
    await running.exited;
  }

  /** Runs a command inside a running container: its env, its folder, its paths. Undefined when it does not run. */
  async exec(id: string, argv: readonly string[], options: ExecOptions): Promise<ExecResult | undefined> {
    const held = this.#running(id);
    if (held === undefined) return undefined;
    const { env, cwd } = held;
    const signals = [...(options.signals ?? []), held.ended.signal];
    return runIn({ argv: withPaths(argv, held.entry), env, cwd }, { ...options, signals }, this.#clock);
  }

  /** Forgets a pod whose containers have all ended, and removes its folders. */
  removePod(uid: string): void {
    this.#pods.delete(uid);
    this.sandboxes.remove(uid);
  }

  /** Ends all containers (KILL after `graceMs`) and removes everything from the disk. */
  async close(graceMs: number): Promise<void> {
    this.#listener = undefined;
    const all = [...this.#pods.values()].flat();
    await Promise.all(all.map((held) => this.stop(held.instance.id, graceMs)));
    this.#pods.clear();
    this.#mark.close();
    this.sandboxes.close();
  }

  #running(id: string): Held | undefined {
    for (const pod of this.#pods.values()) {
      const held = pod.find((one) => one.instance.id === id);
      if (held !== undefined) return held.instance.exit === undefined ? held : undefined;
    }
    return undefined;
  }

  #hold(uid: string, held: Held): void {
    const name = held.instance.container;
    const pod = this.#pods.get(uid) ?? [];
    const same = pod.filter((one) => one.instance.container === name).slice(0, KEPT_INSTANCES - 1);
    this.#pods.set(uid, [held, ...same, ...pod.filter((one) => one.instance.container !== name)]);
    this.#listener?.(uid);
  }

  #ended(uid: string, held: Held, exit: Exit): void {
    held.instance = Object.freeze({ ...held.instance, exit: Object.freeze(exit) });
    held.ended.abort();
    this.#listener?.(uid);
  }
}
