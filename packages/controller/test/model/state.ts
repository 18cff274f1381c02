// SPDX-License-Identifier: Apache-2.0
import type { UpgradeRecord } from "../../src/plan/record.ts";

export type Index = 0 | 1;
export type Two<T> = [T, T];

/** The pod as the API server holds it: what the controller and a kubelet write and read. */
export interface ApiPod {
  img: Two<string>;
  ver: Two<number>;
  alt: Two<number>;
  working: Index;
  hash: string;
  record: UpgradeRecord | null;
  generation: number;
  /** Kruise's in-place state: the image that ran before the last change. */
  inPlace: Two<string>;
  /** Which upgrade, counted from 1, gave the side its image: ground truth for the order of versions. */
  nth: Two<number>;
}

/** What the kubelet has reported of one container. */
export interface Reported {
  img: string;
  cid: number;
  st: ContainerState;
  ready: boolean;
}

export type ContainerState = "run" | "crash" | "pull" | "hookerr";

/** What really runs: container and process are one. */
export interface Actual {
  img: string;
  cid: number;
  st: ContainerState;
  /** Its environment, fixed at its start. */
  v: number;
  alt: number;
  nth: number;
  /** It has accepted at some time. */
  took: boolean;
  /** It hangs for ever before its takeover. */
  dud: boolean;
  /** It has died on its own and not served again since. */
  fell: boolean;
}

/** How a runtime names images: by the tag that was asked for, or by another tag of the same digest. */
export type Tags = "own" | "other" | "shared";

/** What the API shows, at one moment. */
export interface View {
  pod: ApiPod;
  observed: number;
  reported: Two<Reported>;
}

export interface Wish {
  img: string;
  generation: number;
  paused: boolean;
  /** More than the image differs from the pod. */
  other: boolean;
}

export interface State extends View {
  /** The pod as the kubelet works on it. */
  seen: Pick<ApiPod, "img" | "ver" | "alt" | "generation" | "nth">;
  actual: Two<Actual>;
  /** The side whose postStart hook runs: the kubelet neither reports nor reads meanwhile. */
  hook: Index | null;
  /** Who accepts connections. */
  owner: Index | null;
  wish: Wish | null;
  /** What a cache that is behind still shows; null: it is up to date. */
  before: Wish | null;
  /** What a cache that is behind shows; null: it is up to date. */
  cache: View | null;
  /** progressDeadlineSeconds have passed. */
  late: boolean;
  upgrades: number;
  /** Upgrades that were taken back since the kubelet had not looked by then. */
  unheard: number;
  edits: number;
  faults: number;
  kruise: number;
  freezes: number;
}

export const EMPTY_IMAGE = "e";

export function initial(): State {
  const pod: ApiPod = {
    img: ["x1", EMPTY_IMAGE],
    ver: [1, 0],
    alt: [0, 1],
    working: 0,
    hash: "hx1",
    record: null,
    generation: 1,
    inPlace: ["", ""],
    nth: [0, 0],
  };
  const report = (img: string): Reported => ({ img, cid: 0, st: "run", ready: true });
  return {
    pod,
    observed: 1,
    reported: [report("x1"), report(EMPTY_IMAGE)],
    seen: { img: [...pod.img], ver: [...pod.ver], alt: [...pod.alt], generation: 1, nth: [0, 0] },
    actual: [
      { img: "x1", cid: 0, st: "run", v: 1, alt: 0, nth: 0, took: true, dud: false, fell: false },
      { img: EMPTY_IMAGE, cid: 0, st: "run", v: 0, alt: 1, nth: 0, took: false, dud: false, fell: false },
    ],
    hook: null,
    owner: 0,
    wish: { img: "x1", generation: 1, paused: false, other: false },
    before: null,
    cache: null,
    late: false,
    upgrades: 0,
    unheard: 0,
    edits: 0,
    faults: 0,
    kruise: 0,
    freezes: 0,
  };
}

/** Copies what steps change; records are never changed, only replaced. */
export function clone(state: State): State {
  return {
    ...state,
    ...viewOf(state),
    seen: { ...state.seen, img: [...state.seen.img], ver: [...state.seen.ver], alt: [...state.seen.alt] },
    actual: [{ ...state.actual[0] }, { ...state.actual[1] }],
  };
}

export function viewOf({ pod, observed, reported }: View): View {
  const { img, ver, alt, nth, inPlace } = pod;
  return {
    pod: { ...pod, img: [...img], ver: [...ver], alt: [...alt], nth: [...nth], inPlace: [...inPlace] },
    observed,
    reported: [{ ...reported[0] }, { ...reported[1] }],
  };
}

export function serves(actual: Actual): boolean {
  return actual.st === "run" && actual.img !== EMPTY_IMAGE && !actual.dud;
}

export function other(side: Index): Index {
  return side === 0 ? 1 : 0;
}

/** Whether both versions are set: an upgrade is under way. */
export function isUpgrading({ pod }: View): boolean {
  return pod.ver[0] !== 0 && pod.ver[1] !== 0;
}

/**
 * Two states with one key behave alike: container IDs are only compared within a side, generations only with each
 * other.
 */
export function keyOf(state: State): string {
  const views = state.cache ? [state, state.cache] : [state];
  const names = [new Map<number, number>(), new Map<number, number>()] as const;
  const rename = (side: Index, cid: number): number => {
    const name = names[side].get(cid) ?? names[side].size;
    names[side].set(cid, name);
    return name;
  };
  let least = state.seen.generation;
  for (const { pod, observed } of views) least = Math.min(least, pod.generation, observed);
  const { pod: _, observed: __, reported: ___, cache: ____, seen, actual, ...rest } = state;
  return JSON.stringify([
    ...Object.values(rest),
    ...Object.values({ ...seen, generation: seen.generation - least }),
    actual.map((one, side) => Object.values({ ...one, cid: rename(side as Index, one.cid) })),
    views.map(({ pod, observed, reported }) => [
      Object.values({ ...pod, generation: pod.generation - least, record: recordKey(pod, least, rename) }),
      observed - least,
      reported.map((one, side) => Object.values({ ...one, cid: rename(side as Index, one.cid) })),
    ]),
  ]);
}

function recordKey(pod: ApiPod, least: number, rename: (side: Index, cid: number) => number): unknown {
  const { record } = pod;
  if (record === null) return null;
  if (record.phase === "reset" || record.containerID === "") return Object.values(record);
  const containerID = rename(targetOf(pod), Number(record.containerID.slice(1)));
  return Object.values({ ...record, containerID, generation: Math.max(0, record.generation - least) });
}

/** The side that the record is about: the new one of an upgrade, the one that was emptied by an abort. */
export function targetOf({ ver, record }: ApiPod): Index {
  const first = ver[0] > ver[1];
  return (record?.phase === "abort" ? !first : first) ? 0 : 1;
}
