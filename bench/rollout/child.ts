// SPDX-License-Identifier: Apache-2.0
import { fork } from "node:child_process";
import { once } from "node:events";

/** A process of the bench that answers questions, one after another. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  ask<T>(what: string, given?: unknown): Promise<T>;
}

type Answer = { readonly value: unknown } | { readonly error: string };

export function startChild(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  const child = fork(file, args, {
    execArgv: ["--conditions=@hot/source"],
    serialization: "advanced",
    env: { ...process.env, ...env },
  });
  const ended = once(child, "exit");
  const failed = ended.then(([code]) => {
    throw new Error(`${file} has ended with code ${String(code)}`);
  });
  failed.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    async ask<T>(what: string, given?: unknown) {
      child.send({ what, given });
      const [answer] = (await Promise.race([once(child, "message"), failed])) as [Answer];
      if ("error" in answer) throw new Error(answer.error);
      return answer.value as T;
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

/** In the child: answers the questions of its parent; ends when the parent has. */
export function answering(answers: Readonly<Record<string, (given: never) => unknown>>): void {
  process.on("message", ({ what, given }: { what: string; given: never }) => {
    const answer = async (): Promise<unknown> => answers[what]?.(given);
    answer().then(
      (value) => process.send?.({ value }),
      (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
    );
  });
  process.on("disconnect", () => process.exit());
}
