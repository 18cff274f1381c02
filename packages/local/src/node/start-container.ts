// SPDX-License-Identifier: Apache-2.0
import type { Container, Pod } from "@hot/spec";
import type { Image } from "../catalogue.ts";
import type { Backoff } from "./backoff.ts";
import { commandLine, imageEnv, type ImageVariables } from "./command.ts";
import type { WaitingReason } from "./container-status.ts";
import { EnvError, resolveEnv } from "./env.ts";
import { postStartMessage, runHook } from "./hook.ts";
import { newest, type Instance } from "./instance.ts";
import type { NodeParts } from "./node-parts.ts";
import { CommandError } from "./process.ts";
import type { Sandbox } from "./sandbox.ts";

export interface StartRequest {
  pod: Pod;
  container: Container;
  init: boolean;
  sandbox: Sandbox;
  /** What ran when this round began, before its kills: the back-off looks at what had ended by then. */
  snapshot: readonly Instance[];
  backoff: Backoff;
  /** Aborts when the pod is deleted, or the kubelet dies: what runs by then is left to others. */
  interrupt: AbortSignal;
  /** Aborts when the kubelet dies. Nothing else cuts a hook: a pod that is deleted meanwhile waits for its end. */
  death: AbortSignal;
  kill: (instance: Instance, container: Container) => Promise<void>;
}

/** Why a start failed, and when another attempt can do better (ms; undefined = no idea). */
export interface StartFailure extends WaitingReason {
  retryMs?: number;
}

/** Back-off, image, env, start, postStart hook, in this order, each awaited. Undefined = it runs. */
export async function startContainer(parts: NodeParts, request: StartRequest): Promise<StartFailure | undefined> {
  const { pod, container, interrupt } = request;
  const { uid = "" } = pod.metadata;
  const held = backOff(parts, request);
  if (held !== undefined) return held;
  const pulled = await parts.images.pull(uid, container.image ?? "", container.imagePullPolicy, interrupt);
  if (interrupt.aborted) return undefined;
  if ("reason" in pulled) return pulled;
  let instance;
  try {
    instance = startInstance(parts, request, pulled.image);
  } catch (error) {
    if (error instanceof EnvError) return { reason: "CreateContainerConfigError", message: error.message };
    if (error instanceof CommandError) return { reason: "RunContainerError", message: error.message };
    throw error;
  }
  return request.init ? undefined : afterStart(parts, request, instance);
}

/**
 * CrashLoopBackOff. The key holds the image, so another image is not held back by the failures of this one; and the same
 * image coming back is, even if it was ended on purpose, because all that counts is when the last instance ended.
 */
function backOff({ clock }: NodeParts, { pod, container, snapshot, backoff }: StartRequest): StartFailure | undefined {
  const ended = snapshot.find((one) => one.container === container.name && one.exit !== undefined)?.exit;
  if (ended === undefined) return undefined;
  const key = `${container.name}_${container.image}`;
  const retryMs = backoff.remaining(key, ended.finishedAt, clock.now());
  if (retryMs === 0) {
    backoff.next(key, ended.finishedAt, clock.now());
    return undefined;
  }
  const seconds = Math.round(backoff.delay(key) / 1000);
  const shown = seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  const message = `back-off ${shown} restarting failed container=${container.name} pod=${fullName(pod)}`;
  return { reason: "CrashLoopBackOff", message, retryMs };
}

function startInstance(
  { runtime, hostIP }: NodeParts,
  { pod, container, init, sandbox }: StartRequest,
  image: Image,
): Instance {
  const { uid = "", name: podName = "" } = pod.metadata;
  const { podIP, shm } = sandbox;
  const variables: ImageVariables = { POD_IP: podIP, POD_NAME: podName, CONTAINER: container.name, SHM: shm };
  const own = resolveEnv(container, pod, { podIP, hostIP });
  const base = { PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", HOSTNAME: podName };
  const before = newest(runtime.instances(uid), container.name);
  return runtime.start(uid, {
    container: container.name,
    init,
    image: container.image ?? "",
    reportedImage: image.reportedName,
    imageID: image.digest,
    restartCount: before === undefined ? 0 : before.restartCount + 1,
    argv: commandLine(container, image.entry, own, variables),
    env: { ...base, ...imageEnv(image.entry, variables), ...own },
    entry: image.entry,
  });
}

/** The postStart hook. No status is written until it has ended: the caller is awaiting this. */
async function afterStart(
  parts: NodeParts,
  request: StartRequest,
  instance: Instance,
): Promise<StartFailure | undefined> {
  const { pod, container, sandbox, interrupt, death, kill } = request;
  const hook = container.lifecycle?.postStart;
  if (hook === undefined) return undefined;
  const exec = parts.runtime.exec.bind(parts.runtime, instance.id);
  const cause = await runHook(hook, { container, podIP: sandbox.podIP, exec }, parts.clock, death);
  if (cause === undefined || interrupt.aborted) return undefined;
  await kill(instance, container);
  return {
    reason: "PostStartHookError",
    message: postStartMessage(hook, container.name, fullName(pod), cause),
  };
}

/** As the kubelet writes a pod in its messages. */
function fullName({ metadata: { name, namespace, uid } }: Pod): string {
  return `${name}_${namespace}(${uid})`;
}
