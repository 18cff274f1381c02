// SPDX-License-Identifier: Apache-2.0
import { UPGRADABLE_CONDITION, type SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { createChanges, type ChangeLog } from "../../src/plan/changes.ts";
import type { DecidePod } from "../../src/plan/decision.ts";
import { plan } from "../../src/plan/plan.ts";
import { decidePod } from "../../src/plan/pod-decision.ts";
import { projectPod, type PodProjection } from "../../src/plan/pod-projection.ts";
import { createRecall, type Recall, type Sighting } from "../../src/plan/recall.ts";
import { placeOf, type Place } from "../../src/plan/select-pods.ts";
import type { ReceiptTimes, Snapshot, WriteKind } from "../../src/plan/snapshot.ts";
import { createRandom, type Random } from "../simulation/random.ts";
import { T0 } from "../support/builders.ts";
import { calm, strategy, v1, v2, v3 } from "./situations.ts";
import { rows } from "./transitions.ts";

const SEEDS = 100;
const STEPS = 30;
const PODS = 8;

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
  /** Of namespaces. */
  readonly labels: Map<string, Record<string, string>>;
  readonly pods: PodProjection[];
  changes: ChangeLog | undefined;
  readonly pending: Map<string, WriteKind>;
  receipts: ReceiptTimes;
  live: boolean;
  now: number;
  /** Pods that came later. */
  created: number;
}

/** Half of them are alike. */
function anyPod(random: Random, index: number): PodProjection {
  const { pod } = random.chance(0.5) ? random.pick(rows) : { pod: calm };
  const name = `web-${index}`;
  const labels = {
    ...pod.metadata.labels,
    ring: String(random.int(0, 1)),
    ...(random.chance(0.1) && { app: "other" }),
  };
  const namespace = `team-${index % 2}`;
  // Said already, so that nothing is left to be said of many.
  const said = { type: UPGRADABLE_CONDITION, status: "True" as const, message: '{"mesh":true}' };
  const conditions = [...(pod.status?.conditions ?? []), ...(random.chance(0.7) ? [said] : [])];
  const metadata = { ...pod.metadata, name, namespace, uid: `uid-${name}`, labels };
  return projectPod({ ...pod, metadata, status: { ...pod.status, conditions } });
}

function change(known: Known, random: Random): void {
  const { pods, pending } = known;
  const index = random.int(0, Math.max(0, pods.length - 1));
  const uid = pods[index]?.uid ?? "";
  const replace = (): void => {
    if (index === pods.length) known.changes?.moved();
    pods[index] = anyPod(random, index);
    known.changes?.replaced(index);
  };
  const splice = (start: number, count: number, come: number): void => {
    pods.splice(start, count, ...Array.from({ length: come }, () => anyPod(random, PODS + known.created++)));
    known.changes?.moved();
  };
  random.pick([
    replace,
    replace,
    // One goes, one comes, or both in one step.
    () => splice(index, 1, 0),
    () => splice(index, 0, 1),
    () => {
      splice(index, 1, 0);
      splice(random.int(0, pods.length), 0, 1);
    },
    () => {
      splice(random.int(0, pods.length), 0, 2);
      splice(index, 1, 0);
    },
    // The last pod is gone, and another list begins.
    () => void (known.changes = random.chance(0.3) ? undefined : createChanges(3)),
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
    () => void known.labels.set(`team-${random.int(0, 1)}`, { team: String(random.int(0, 1)) }),
    () => void (known.live = !known.live),
  ])();
}

function snapshotOf({ pods, namespaces, ...base }: Sighting): Snapshot {
  const { name, sidecarSet } = base;
  const places = pods.map((one) => placeOf(one, name, sidecarSet, namespaces));
  const at = (place: Place): PodProjection[] => pods.filter((_, index) => places[index] === place);
  const both = at("lackingLingering");
  return {
    ...base,
    matched: at("matched"),
    lingering: [...at("lingering"), ...both],
    lacking: [...at("lacking"), ...both],
  };
}

function sightingOf({ sidecarSet, pods, changes, pending, receipts, live, now, labels }: Known): Sighting {
  const base = { name: "mesh", live, pending, receipts, now, pods };
  return {
    ...base,
    ...(changes && { changes }),
    namespaces: (namespace) => labels.get(namespace),
    ...(sidecarSet === undefined ? { orphans: pods } : { sidecarSet }),
  };
}

/** As before a plan of very many pods: what is the case may change between two steps, and it may be given up. */
function lookInTurns(recall: Recall, now: Known, random: Random): void {
  if (random.chance(0.5)) return;
  for (const _ of recall.look({ ...sightingOf(now), pods: [...now.pods], pending: new Map(now.pending) })) {
    if (random.chance(0.2)) change(now, random);
    if (random.chance(0.02)) return;
  }
}

function counting(): { decide: DecidePod; readonly decided: PodProjection[] } {
  const decided: PodProjection[] = [];
  const decide: DecidePod = (pod, ...rest) => {
    decided.push(pod);
    return decidePod(pod, ...rest);
  };
  return { decide, decided };
}

function known(pods: readonly PodProjection[], more: Partial<Known> = {}): Known {
  const known = { sidecarSet: v2, pending: new Map(), receipts: new Map(), live: false, now: T0, created: 0 };
  const changes = createChanges(3);
  const labels = new Map(["team-0", "team-1"].map((name) => [name, {}]));
  return { ...known, labels, changes, pods: [...pods], ...more };
}

test(`${SEEDS} random histories: what is recalled gives the plan that is made from scratch, at each step`, () => {
  const done = { recalled: 0, decided: 0, writes: 0, soaked: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = createRandom(seed);
    const { decide, decided } = counting();
    const recall = createRecall(decide);
    const now = known(Array.from({ length: PODS }, (_, index) => anyPod(random, index)));
    for (let step = 0; step < STEPS; step++) {
      lookInTurns(recall, now, random);
      const sighting = sightingOf(now);
      const { pods, ...scratch } = plan(snapshotOf(sighting));
      const recalled = recall.plan(sighting);
      expect(recalled, `seed ${seed}, step ${step}`).toStrictEqual(scratch);
      done.recalled += pods.length;
      done.writes += recalled.writes.length;
      done.soaked += pods.filter(({ reason }) => reason === "Soaking").length;
      if (random.chance(0.8)) now.receipts = recalled.receipts;
      change(now, random);
    }
    done.decided += decided.length;
  }
  // It has recalled, and what it has recalled was about something.
  expect(done.decided).toBeLessThan(done.recalled * 0.75);
  expect(done.writes).toBeGreaterThan(SEEDS);
  expect(done.soaked).toBeGreaterThan(SEEDS / 10);
}, 60_000);

test("after one event only its pod is decided again, though status and time have changed as well", () => {
  const { decide, decided } = counting();
  const recall = createRecall(decide);
  const pods = Array.from({ length: 50 }, (_, index) => pod(index));
  const paused = strategy(v2, { paused: true });
  recall.plan(sightingOf(known(pods, { sidecarSet: paused, live: true })));
  expect(decided).toHaveLength(50);
  pods[7] = pod(7);
  const status = { matchedPods: 50, updatedPods: 0, readyPods: 50 };
  const sidecarSet = { ...paused, metadata: { ...paused.metadata, resourceVersion: "5001" }, status };
  recall.plan(sightingOf(known(pods, { sidecarSet, live: true, now: T0 + 60_000 })));
  expect(decided.slice(50)).toEqual([pods[7]]);
});

function pod(index: number): PodProjection {
  return projectPod({ ...calm, metadata: { ...calm.metadata, name: `web-${index}`, uid: `uid-${index}` } });
}
