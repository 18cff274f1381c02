// SPDX-License-Identifier: Apache-2.0
import { sleep } from "@hot/kube";
import type { Container, Pod } from "@hot/spec";
import type { KillCause } from "./container.ts";
import { runHook } from "./hook.ts";
import type { Instance } from "./instance.ts";
import type { NodeParts } from "./node-parts.ts";

const DEFAULT_GRACE_SECONDS = 30;
/** Whatever preStop has used up, a process has this long between TERM and KILL. */
const SHORTEST_GRACE_MS = 2_000;

/** Seconds that a container has to end; a probe may have its own number for the kills that it causes. */
export function graceSeconds(pod: Pod, container?: Container, cause?: KillCause): number {
  const probe =
    cause === "liveness" ? container?.livenessProbe : cause === "startup" ? container?.startupProbe : undefined;
  const { deletionGracePeriodSeconds } = pod.metadata;
  return (
    deletionGracePeriodSeconds ??
    probe?.terminationGracePeriodSeconds ??
    pod.spec.terminationGracePeriodSeconds ??
    DEFAULT_GRACE_SECONDS
  );
}

/** preStop hook, TERM, grace, KILL. Resolves when the container has ended; `hurry` skips what is left of the grace. */
export async function killContainer(
  parts: NodeParts,
  what: { instance: Instance; container: Container; podIP: string; graceSeconds: number },
  hurry: AbortSignal,
): Promise<void> {
  const { runtime, clock, log } = parts;
  const { instance, container, podIP } = what;
  let graceMs = what.graceSeconds * 1000;
  const preStop = container.lifecycle?.preStop;
  if (preStop !== undefined && graceMs > 0) {
    const begin = clock.now();
    const done = new AbortController();
    const exec = runtime.exec.bind(runtime, instance.id);
    const stop = (): void => done.abort();
    hurry.addEventListener("abort", stop, { once: true });
    const hook = runHook(preStop, { container, podIP, exec }, clock, done.signal);
    const failure = await Promise.race([
      hook,
      sleep(clock, graceMs, done.signal).then(() => "the grace period is over"),
    ]);
    done.abort();
    hurry.removeEventListener("abort", stop);
    if (failure !== undefined) log(`preStop hook of ${container.name}: ${failure}`);
    graceMs -= clock.now() - begin;
  }
  await runtime.stop(instance.id, Math.max(graceMs, SHORTEST_GRACE_MS), hurry);
}
