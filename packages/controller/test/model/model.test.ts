// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { explore } from "./explore.ts";
import { ALL, fine, ready, record, side, without, type Rules } from "./rules.ts";
import type { Bounds } from "./transitions.ts";

const NONE: Bounds = { edits: 0, faults: 0, kruise: 0, freezes: 0, stale: false, old: false, tags: "own" };

describe("one hot pair: no reachable state violates an invariant", () => {
  test.each<[string, Partial<Bounds>, least: number]>([
    ["three edits", { edits: 3 }, 5_000],
    ["two edits and a fault", { edits: 2, faults: 1 }, 20_000],
    ["an edit and two faults", { edits: 1, faults: 2 }, 10_000],
    ["two edits, a cache of pods that falls behind", { edits: 2, freezes: 1 }, 4_000],
    ["three edits, a cache of SidecarSets that is behind", { edits: 3, stale: true }, 10_000],
    ["three edits, a kubelet that reports no generation", { edits: 3, old: true }, 5_000],
    ["two edits and a fault, a kubelet that reports no generation", { edits: 2, faults: 1, old: true }, 20_000],
    ["three edits, a runtime that reports another tag", { edits: 3, tags: "other" }, 5_000],
    ["two edits and a fault, a runtime that reports another tag", { edits: 2, faults: 1, tags: "other" }, 20_000],
    ["two edits and a fault, another tag and no generation", { edits: 2, faults: 1, tags: "other", old: true }, 1_000],
    ["three edits, all images tags of one digest", { edits: 3, tags: "shared" }, 5_000],
    ["two edits and a fault, all images tags of one digest", { edits: 2, faults: 1, tags: "shared" }, 20_000],
    ["two edits, an upgrade by Kruise", { edits: 2, kruise: 1 }, 10_000],
  ])(
    "%s",
    (_, bounds, least) => {
      const { violation, states, labels } = explore(ALL, { ...NONE, ...bounds });
      expect(violation && [violation.what, ...violation.trace]).toBeUndefined();
      // A model that explores nothing would prove nothing.
      expect(states).toBeGreaterThan(least);
      const needed = ["controller: upgrade", "controller: abort"];
      const unproven = bounds.old === true && bounds.tags !== undefined;
      const all = [
        ...needed,
        ...(unproven ? [] : ["controller: reset"]),
        ...(bounds.kruise ? ["controller: adopt"] : []),
      ];
      expect(all.filter((label) => !labels.has(label))).toEqual([]);
    },
    60_000,
  );
});

test("a reset that loses its version annotation is repaired", () => {
  const torn = { ...ALL, ...without("reset", "version.") };
  const { violation, labels } = explore(torn, { ...NONE, edits: 2 });
  expect(violation).toBeUndefined();
  expect(labels).toContain("controller: repair");
});

const weak = (change: Partial<Rules>): Rules => ({ ...ALL, ...change });

describe("each rule is needed: without it the model finds a violation", () => {
  test.each<[rule: string, Rules, Partial<Bounds>, found: RegExp]>([
    [
      "receipt: the kubelet has seen the write (observedGeneration)",
      weak({ show: (pod) => ({ ...pod, observedGeneration: pod.generation }) }),
      { edits: 3 },
      /nobody accepts|is emptied/,
    ],
    [
      "receipt: status image = spec image",
      weak(side("target", (one) => ({ ...one, ...(one.status && { status: { ...one.status, image: one.image } }) }))),
      { edits: 1, faults: 1 },
      /is emptied/,
    ],
    [
      "receipt: another container than before the write, where only its imageID is known",
      weak(record((one) => (one["imageID"] = ""))),
      { edits: 2, kruise: 1 },
      /VERSION/,
    ],
    ["receipt: ready", weak(side("target", ready)), { edits: 1, faults: 1 }, /is emptied/],
    [
      "without a generation, a standby that was aborted waits for its hook",
      weak(
        record((one) => (one["deadlineAt"] = one["phase"] === "abort" ? "2000-01-01T00:00:00Z" : one["deadlineAt"])),
      ),
      { edits: 3, old: true },
      /nobody accepts|is emptied/,
    ],
    [
      "receipt: readiness is the process' own answer",
      weak({ probe: false }),
      { edits: 1, faults: 1 },
      /not taken over/,
    ],
    ["abort only while the old side is seen serving", weak(side("old", fine)), { edits: 1, faults: 2 }, /is emptied/],
    [
      "upgrade only when the standby is seen on its image",
      weak({
        show: (pod) => {
          const shown = side("standby", fine).show(pod);
          return { ...shown, observedGeneration: shown.generation };
        },
      }),
      { edits: 3 },
      /nobody accepts|is emptied/,
    ],
    ["writes hold for one version only", weak({ precondition: false }), { edits: 2, freezes: 1 }, /upgrades where/],
    [
      "a SidecarSet that may be stale is read again",
      weak({ staleness: false }),
      { edits: 2, kruise: 1, stale: true },
      /upgrades where/,
    ],
    ["the deadline", weak({ deadline: false }), { edits: 1, faults: 1 }, /stuck/],
    [
      "a failed revision is not tried again",
      weak(record((one) => delete one["failed"])),
      { edits: 1, faults: 1 },
      /upgrades where/,
    ],
    ["versions grow", weak({ write: smallVersions }), { edits: 1 }, /later upgrade has version/],
    [
      "abort puts the hash entry back",
      weak(without("abort", "kruise.io/sidecarset-hash")),
      { edits: 2 },
      /stuck: ImageRewritten/,
    ],
    [
      "abort puts the working annotation back",
      weak(without("abort", "kruise.io/sidecarset-working")),
      { edits: 2 },
      /working/,
    ],
    [
      "what has been torn by hand is repaired",
      weak({ write: (one) => (one.kind === "repair" ? undefined : without("reset", "version.").write(one)) }),
      { edits: 1 },
      /stuck in mid-upgrade: Contradictory/,
    ],
    [
      "an upgrade without a record is adopted",
      weak({ write: (one) => (one.kind === "adopt" ? undefined : one) }),
      { edits: 1, kruise: 1 },
      /stuck/,
    ],
    [
      "a pod that runs what is wanted is marked",
      weak({ write: (one) => (one.kind === "mark" ? undefined : one) }),
      { edits: 2, kruise: 1 },
      /stuck/,
    ],
    ["the old side takes back", weak({ takeBack: false }), { edits: 1, faults: 1 }, /nobody accepts/],
    ["an owner that is told to stop yields first", weak({ yields: false }), { edits: 2 }, /nobody accepts/],
  ])(
    "%s",
    (_, rules, bounds, found) => {
      expect(explore(rules, { ...NONE, ...bounds }).violation?.what).toMatch(found);
    },
    60_000,
  );
});

/** As if versions were not compared with those that the pod has. */
function smallVersions(write: Parameters<Rules["write"]>[0]): ReturnType<Rules["write"]> {
  if (write.kind !== "upgrade") return write;
  const entries = Object.entries(write.annotations).map(([key, value]) =>
    key.startsWith("version.") ? [key, "1"] : [key, value],
  );
  return { ...write, annotations: Object.fromEntries(entries) as Record<string, string> };
}
