// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { plan, type Plan } from "../../src/plan/plan.ts";
import { projectPod, type PodProjection } from "../../src/plan/pod-projection.ts";
import { createRecall } from "../../src/plan/recall.ts";
import { placeOf, type Place } from "../../src/plan/select-pods.ts";
import type { ReceiptTimes, Snapshot, WriteKind } from "../../src/plan/snapshot.ts";
import { createRandom, type Random } from "../simulation/random.ts";
import { T0 } from "../support/builders.ts";
import { calm, strategy, v1, v2, v3 } from "./situations.ts";
import { rows } from "./transitions.ts";

const SEEDS = 100;
const STEPS = 30;
const PODS = 5;

const KINDS: readonly WriteKind[] = ["upgrade", "reset", "abort", "mark", "adopt", "repair", "condition"];
const SETS: readonly SidecarSet[] = [
  ...new Set(rows.flatMap(({ set }) => set ?? [])),
  v1,
  v3,
  { ...v2, spec: { ...v2.spec, namespaceSelector: { matchLabels: { team: "0" } } } },
  strategy(v2, { paused: true }),
  strategy(v2, { partition: 2 }),
  strategy(v2, { maxUnavailable: "100%", selector: { matchLabels: { ring: "0" } } }),
];
/** In milliseconds: around what soaks, deadlines and steady readiness go by, and a clock that is put back. */
const LEAPS = [0, 1, 999, 1_000, 2_999, 3_000, 10_000, 60_000, 120_000, -1, -5_000];

/** What a controller knows, changed at random one thing at a time. */
interface Known {
  sidecarSet: SidecarSet | undefined;
  labels: Record<string, string>;
  readonly pods: PodProjection[];
  readonly pending: Map<string, WriteKind>;
  receipts: ReceiptTimes;
  live: boolean;
  now: number;
}

function anyPod(random: Random, index: number): PodProjection {
  const { pod } = random.pick(rows);
  const name = `web-${index}`;
  const labels = {
    ...pod.metadata.labels,
    ring: String(random.int(0, 1)),
    ...(random.chance(0.1) && { app: "other" }),
  };
  return projectPod({ ...pod, metadata: { ...pod.metadata, name, uid: `uid-${name}`, labels } });
}

function change(known: Known, random: Random): void {
  const { pods, pending } = known;
  const index = random.int(0, pods.length - 1);
  const uid = pods[index]?.uid ?? "";
  random.pick([
    () => void (pods[index] = anyPod(random, index)),
    () => void (known.sidecarSet = random.chance(0.2) ? undefined : random.pick(SETS)),
    // As our own write of its status leaves it.
    () => {
      const set = known.sidecarSet;
      if (set === undefined) return;
      const resourceVersion = String(random.int(1, 9_000));
      const counters = { matchedPods: 1, updatedPods: 0, readyPods: 0, latestRevision: `mesh-${resourceVersion}` };
      known.sidecarSet = { ...set, metadata: { ...set.metadata, resourceVersion }, status: counters };
    },
    () => {
      const set = known.sidecarSet;
      if (set !== undefined) known.sidecarSet = strategy(set, { maxUnavailable: random.int(0, 5) });
    },
    () => void (pending.delete(uid) || pending.set(uid, random.pick(KINDS))),
    () => void (known.now += random.pick(LEAPS)),
    () => void (known.now += random.pick(LEAPS)),
    // Another term as the leader.
    () => void (known.receipts = new Map()),
    () => void (known.labels = { team: String(random.int(0, 1)) }),
    () => void (known.live = !known.live),
  ])();
}

function snapshotOf(known: Known, places: readonly Place[]): Snapshot {
  const { sidecarSet, pods, pending, receipts, live, now } = known;
  const at = (place: Place): PodProjection[] => pods.filter((_, index) => places[index] === place);
  const base = { name: "mesh", live, pending, receipts, now, matched: at("matched"), lingering: at("lingering") };
  return sidecarSet === undefined ? { ...base, orphans: pods } : { ...base, sidecarSet };
}

test(`${SEEDS} random histories: what is recalled gives the plan that is made from scratch, at each step`, () => {
  const done = { recalled: 0, decided: 0, writes: 0, soaked: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = createRandom(seed);
    const recall = createRecall();
    const pods = Array.from({ length: PODS }, (_, index) => anyPod(random, index));
    const known: Known = {
      sidecarSet: v2,
      labels: {},
      pods,
      pending: new Map(),
      receipts: new Map(),
      live: false,
      now: T0,
    };
    let before: Plan | undefined;
    for (let step = 0; step < STEPS; step++) {
      const { sidecarSet } = known;
      const placed = (place: typeof placeOf): Place[] =>
        pods.map((one) => place(one, "mesh", sidecarSet, () => known.labels));
      expect(placed(recall.placeOf), `seed ${seed}, step ${step}`).toEqual(placed(placeOf));
      const snapshot = snapshotOf(known, placed(placeOf));
      const scratch = plan(snapshot);
      const recalled = plan(snapshot, recall.decidePod);
      expect(recalled, `seed ${seed}, step ${step}`).toStrictEqual(scratch);
      const old = new Set(before?.pods.map(({ facts }) => facts));
      done.recalled += recalled.pods.filter(({ facts }) => old.has(facts)).length;
      done.decided += recalled.pods.length;
      done.writes += recalled.writes.length;
      done.soaked += recalled.pods.filter(({ reason }) => reason === "Soaking").length;
      before = recalled;
      if (random.chance(0.8)) known.receipts = recalled.receipts;
      change(known, random);
    }
  }
  // It has recalled, and what it has recalled was about something.
  expect(done.recalled).toBeGreaterThan(done.decided / 4);
  expect(done.writes).toBeGreaterThan(SEEDS);
  expect(done.soaked).toBeGreaterThan(SEEDS / 10);
}, 60_000);

test("after one event only its pod is decided again, though status and time have changed as well", () => {
  const recall = createRecall();
  const pods = Array.from({ length: 50 }, (_, index) => pod(index));
  // Paused, so that the plan itself has no reason to look into a pod.
  const paused = strategy(v2, { paused: true });
  const known = { labels: {}, pods, pending: new Map(), receipts: new Map(), live: true };
  const matched = pods.map((): Place => "matched");
  const first = plan(snapshotOf({ ...known, sidecarSet: paused, now: T0 }, matched), recall.decidePod);
  pods[7] = pod(7);
  const status = { matchedPods: 50, updatedPods: 0, readyPods: 50 };
  const sidecarSet = { ...paused, metadata: { ...paused.metadata, resourceVersion: "5001" }, status };
  const second = plan(snapshotOf({ ...known, sidecarSet, now: T0 + 60_000 }, matched), recall.decidePod);
  const again = second.pods.filter(({ facts }, index) => facts !== first.pods[index]?.facts);
  expect(again.map((one) => one.pod)).toEqual([pods[7]]);
});

function pod(index: number): PodProjection {
  return projectPod({ ...calm, metadata: { ...calm.metadata, name: `web-${index}`, uid: `uid-${index}` } });
}
