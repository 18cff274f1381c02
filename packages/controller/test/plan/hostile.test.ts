// SPDX-License-Identifier: Apache-2.0
import { allReasonCodes, type Pod } from "@hot/spec";
import { describe, expect, test } from "vitest";
import { injectedPod, sidecarSet } from "../support/builders.ts";
import { carriedOut } from "../support/kubelet.ts";
import { after, planFor, upgrading } from "../support/planning.ts";

const v1 = sidecarSet({ image: "x:1", generation: 1, resourceVersion: "4000" });
const v2 = sidecarSet({ image: "x:2" });
const RECORD = "upgrade.hot.internal/x";
const STATE = "kruise.io/sidecarset-inplace-update-state";
const KEYS = [
  RECORD,
  STATE,
  "kruise.io/sidecarset-hash",
  "kruise.io/sidecarset-hash-without-image",
  "kruise.io/sidecarset-working-hotupgrade-container",
  "version.sidecarset.kruise.io/x-1",
  "versionalt.sidecarset.kruise.io/x-2",
];
const REASONS = new Set<string>(allReasonCodes().map(({ reason }) => reason));

const annotate = (pod: Pod, annotations: Record<string, string>): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, ...annotations } },
});
const begun = upgrading(injectedPod(v1), v2);
const taken = carriedOut(begun)!;
const done = carriedOut(after(taken, planFor([taken], v2).writes[0]?.write))!;
const crashed = carriedOut(begun, () => "crashes")!;
const aborted = carriedOut(after(crashed, planFor([crashed], v2).writes[0]?.write))!;
const pulling = carriedOut(begun, () => "pullError")!;
/** As Kruise leaves it: everything but our record. */
const kruise = annotate(pulling, { [RECORD]: "" });
const PODS = [injectedPod(v1), begun, taken, crashed, aborted, done, pulling, kruise];

/** Every way to replace one member, at any depth, of what the pod really carries. */
function* mutants(value: unknown, by: unknown): Generator {
  yield by;
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    for (const mutant of mutants(member, by)) {
      yield Array.isArray(value) ? [mutant] : Object.fromEntries([...Object.entries(value), [key, mutant]]);
    }
  }
}

/** The same with one more member, of the whole and of each of its members. */
function added(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.entries(value).map(([key, member]) => ({
    ...value,
    [key]: { ...Object(member), more: "deep" },
  }));
  return [...inner, { ...value, more: "deep" }].map((one) => JSON.stringify(one));
}

const parsed = (text: string): unknown => (text.startsWith("{") ? JSON.parse(text) : text);
const RAW = ["", "{", "null", "no word", "-1", "1e3", "9".repeat(1000), '{"__proto__":{"hash":"x"}}'];
/** What can be parsed, and not be written again: each member would take room on the stack. */
const DEEP = "[".repeat(10_000) + "]".repeat(10_000);
const VALUES = [
  "deep",
  null,
  0,
  -1,
  1e300,
  "",
  "no word",
  "x:1",
  "9999-12-31T00:00:00Z",
  true,
  [],
  {},
  [null],
  { x: null },
];

describe("whatever stands in a pod's annotations", () => {
  test.each(KEYS)(
    "%s: a plan is made, its writes are texts, and its conditions have reasons of ours",
    (key) => {
      const faults = new Set<string>();
      for (const pod of PODS) {
        const before = parsed(pod.metadata.annotations?.[key] ?? "{}");
        const texts = VALUES.flatMap((value) => [...mutants(before, value)].map((one) => JSON.stringify(one)));
        for (const text of [...RAW, ...texts, ...added(before)].map((one) => one.replaceAll('"deep"', DEEP))) {
          for (const problem of problems(annotate(pod, { [key]: text })))
            faults.add(`${problem}: ${text.slice(0, 500)}`);
        }
      }
      expect([...faults].slice(0, 5)).toEqual([]);
    },
    30_000,
  );
});

test("a version that no process would take is repaired from what runs", () => {
  const key = "version.sidecarset.kruise.io/x-1";
  const given = annotate(injectedPod(v1), { [key]: (2n ** 64n).toString() });
  const [first] = planFor([given], v2).writes;
  expect(first?.write).toMatchObject({ kind: "repair", images: {} });
  const repaired = after(given, first?.write);
  expect(BigInt(repaired.metadata.annotations?.[key] ?? "0")).toBe(5000n);
  expect(planFor([repaired], v2).writes[0]?.write).toMatchObject({ kind: "upgrade", images: { "x-2": "x:2" } });
});

function problems(pod: Pod): string[] {
  try {
    const planned = planFor([pod], v2);
    const values = planned.writes.flatMap(({ write }) => Object.values<unknown>(write.annotations));
    const texts = (planned.status?.conditions ?? []).flatMap(({ reason, message }) => [
      ...(REASONS.has(reason) ? [] : [`reason ${JSON.stringify(reason)}`]),
      ...(typeof message === "string" ? [] : ["message"]),
    ]);
    // What is adopted has to count, or it is adopted for ever.
    const [first] = planned.writes;
    const again =
      first?.write.kind === "adopt" ? planFor([after(pod, first.write)], v2).writes[0]?.write.kind : undefined;
    return [
      ...texts,
      ...(values.every((one) => typeof one === "string") ? [] : ["no text"]),
      ...(again === "adopt" ? ["adopted again"] : []),
    ];
  } catch (error) {
    return [String(error)];
  }
}
