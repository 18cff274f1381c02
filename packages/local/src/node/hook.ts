// SPDX-License-Identifier: Apache-2.0
import type { Lifecycle } from "@hot/spec";
import { sleep, type Clock } from "@hot/kube";
import { runHandler, type HandlerTarget } from "./handler.ts";

export type Hook = NonNullable<Lifecycle["postStart"]>;

/**
 * Runs a lifecycle hook to its end: a command has no timeout but the abort of `signal`. Answers why it failed, or undefined.
 */
export async function runHook(
  hook: Hook,
  target: HandlerTarget,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (hook.sleep !== undefined) {
    await sleep(clock, hook.sleep.seconds * 1000, signal);
    return signal.aborted ? "the sleep was cut short" : undefined;
  }
  const result = await runHandler(hook, target, { signal, capture: true });
  return result.outcome === "success" ? undefined : result.message;
}

/** The message of a container whose postStart hook failed. */
export function postStartMessage(hook: Hook, container: string, pod: string, cause: string): string {
  const what =
    hook.exec === undefined ? "Lifecycle hook" : `Exec lifecycle hook ([${(hook.exec.command ?? []).join(" ")}])`;
  return `${what} for Container "${container}" in Pod "${pod}" failed - error: ${cause}`;
}
