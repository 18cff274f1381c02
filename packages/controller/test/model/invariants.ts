// SPDX-License-Identifier: Apache-2.0
import { EMPTY_IMAGE, isUpgrading, type Index, type State } from "./state.ts";

/** What must hold in every state; returns what does not. */
export function broken(state: State): string | undefined {
  const { pod, actual } = state;
  if (pod.img.every((image) => image === EMPTY_IMAGE)) return "both sides have the empty image";
  const alive = actual.filter(({ st, img }) => st === "run" && img !== EMPTY_IMAGE);
  const [a, b] = alive.sort((one, two) => one.nth - two.nth);
  if (a && b && a.nth !== b.nth && a.v >= b.v) return `the later upgrade has version ${b.v}, the earlier one ${a.v}`;
  const wanted = state.edits + state.kruise + state.unheard;
  if (state.upgrades > wanted) return `${state.upgrades} upgrades where ${wanted} were wanted`;
  return undefined;
}

/** Reasons that tell a person, or wait for one. */
const REPORTED = new Set(["UpToDate", "Paused", "NotUpgradable", "FailedBefore", "Stalled", "OldSideDown", "nothing"]);
/** Of the new side, where nothing may be emptied. */
const FAILED = new Set(["ImagePullFailed", "PostStartHookFailed", "NewSideCrashed", "ProgressDeadlineExceeded"]);
const STANDBY = new Set(["StandbyBackOff", "ImagePull", "HookRunning", "NotObserved", "Resetting"]);

/** What must hold where nothing happens any more unless a user or a fault comes: settled, or reported with a code. */
export function unsettled(state: State, reason: string): string | undefined {
  const { pod, actual, wish } = state;
  if (isUpgrading(state)) {
    const orphan = reason === "EmptyImageUnknown" && wish === null && pod.record?.phase !== "upgrade";
    const old: Index = pod.ver[0] < pod.ver[1] ? 0 : 1;
    const noneServes = FAILED.has(reason) && !(state.reported[old].st === "run" && state.reported[old].ready);
    return reason === "OldSideDown" || orphan || noneServes ? undefined : `stuck in mid-upgrade: ${reason}`;
  }
  const serving: Index = pod.ver[0] === 0 ? 1 : 0;
  const image = pod.img[serving];
  if (STANDBY.has(reason)) {
    const down = actual.some(({ st }) => st !== "run") || state.hook !== null;
    return down ? undefined : `waits for a standby that is there: ${reason}`;
  }
  if (!REPORTED.has(reason)) return `stuck: ${reason}`;
  if (pod.working !== serving) return "the working annotation names the other side";
  if (pod.hash !== `h${image}` && pod.hash !== "") return `hash entry ${pod.hash}, serving image ${image}`;
  if (reason !== "UpToDate") return undefined;
  if (wish?.img !== image) return `up to date with ${image}, wanted is ${wish?.img}`;
  if (pod.hash === "") return "up to date without a hash entry";
  const process = actual[serving];
  if (process.st === "run" && process.v !== pod.ver[serving]) {
    return `the serving process has VERSION ${process.v}, its annotation says ${pod.ver[serving]}`;
  }
  return undefined;
}
