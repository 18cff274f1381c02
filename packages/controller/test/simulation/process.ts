// SPDX-License-Identifier: Apache-2.0
import { isEmptyImage } from "./images.ts";

/** One instance of one container, as it really is. */
export interface Process {
  readonly container: string;
  readonly image: string;
  readonly containerID: string;
  /** Virtual time in milliseconds. */
  readonly startedAt: number;
  /** Why it waits, where it does not run. */
  state: "running" | "ended" | "ErrImagePull" | "PostStartHookError" | "CrashLoopBackOff";
  readonly restarts: number;
  /** Its environment, fixed at its start. */
  readonly version: bigint;
  readonly alt: bigint;
  /** Which upgrade of the pod, counted from 1, gave it its image: the true order. */
  readonly nth: number;
  /** What its readinessProbe has last said. */
  ready: boolean;
  started: boolean;
  /** It has accepted at some time. */
  took: boolean;
  /** It hangs for ever before its takeover. */
  readonly isDud: boolean;
  /** It has died on its own, and this side has not served again since. */
  fell: boolean;
}

/** Told by VERSION and ALT that it is the new side of an upgrade. */
export function isNewer({ version, alt }: Process): boolean {
  return alt !== 0n && version > alt;
}

export function serves({ state, image, isDud }: Process): boolean {
  return state === "running" && !isEmptyImage(image) && !isDud;
}

/** The answer of a process to the exec probe: a newer side says yes only after its takeover, every other one always. */
export function answers(process: Process): boolean {
  return process.state === "running" && (isEmptyImage(process.image) || !isNewer(process) || process.took);
}
