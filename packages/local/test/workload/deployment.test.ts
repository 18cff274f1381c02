// SPDX-License-Identifier: Apache-2.0
import type { Pod } from "@hot/spec";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Deployment,
  isReady,
  planDeployment,
  podOf,
  TEMPLATE_HASH_LABEL,
  templateHash,
} from "../../src/workload/deployment.ts";
import { statusOf } from "../../src/workload/deployment-status.ts";

const now = new Date("2030-01-01T00:01:00Z");

const deployment = (replicas: number, more: Partial<Deployment["spec"]> = {}): Deployment => ({
  metadata: { name: "web", uid: "u", generation: 4 },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "a", image: "a:2" }] } },
    ...more,
  },
});

let serial = 0;
function pod(of: Deployment, { current = true, ready = true, since = "2030-01-01T00:00:00Z" } = {}): Pod {
  const made = podOf(of);
  return {
    ...made,
    metadata: {
      ...made.metadata,
      name: `p${serial++}`,
      creationTimestamp: since,
      labels: { ...made.metadata.labels, [TEMPLATE_HASH_LABEL]: current ? templateHash(of) : "old" },
    },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: since }],
    },
  };
}

describe("plan", () => {
  const web = deployment(2);
  const old = (ready = true): Pod => pod(web, { current: false, ready });
  const cases: [string, Deployment, Pod[], number, number][] = [
    ["nothing there: create all", web, [], 2, 0],
    ["all there: nothing", web, [pod(web), pod(web)], 0, 0],
    ["one too many: remove one", web, [pod(web), pod(web), pod(web)], 0, 1],
    ["only old ones: one new pod above the number", web, [old(), old()], 1, 0],
    ["the new one is not available yet: wait", web, [old(), old(), pod(web, { ready: false })], 0, 0],
    ["the new one is available: one old one may go", web, [old(), old(), pod(web)], 0, 1],
    ["an old one that is not ready serves nobody: remove it", web, [old(), old(false)], 1, 1],
    ["none wished: remove all, old ones too", deployment(0), [pod(deployment(0)), old()], 0, 2],
    ["paused: nothing is replaced", deployment(2, { paused: true }), [old(), old()], 0, 0],
  ];
  test.each(cases)("%s", (_what, wish, pods, create, remove) => {
    const plan = planDeployment(wish, pods, now);
    expect({ create: plan.create, remove: plan.remove.length }).toEqual({ create, remove });
  });

  test("pods that go or are finished do not count", () => {
    const leaving = pod(web);
    leaving.metadata.deletionTimestamp = "2030-01-01T00:00:00Z";
    const finished = pod(web);
    finished.status = { phase: "Failed" };
    expect(planDeployment(web, [leaving, finished], now).create).toBe(2);
  });

  test("of too many, those that are not ready go first, then the newest", () => {
    const one = deployment(1);
    const unready = pod(one, { ready: false });
    const older = pod(one);
    const newer = pod(one, { since: "2030-01-01T00:00:30Z" });
    expect(planDeployment(one, [older, newer, unready], now).remove).toEqual([unready, newer]);
  });

  test("a pod is available only after minReadySeconds", () => {
    const patient = deployment(1, { minReadySeconds: 30 });
    const before = pod(patient, { current: false });
    expect(planDeployment(patient, [before, pod(patient, { since: "2030-01-01T00:00:45Z" })], now).remove).toEqual([]);
    expect(planDeployment(patient, [before, pod(patient, { since: "2030-01-01T00:00:15Z" })], now).remove).toEqual([
      before,
    ]);
  });
});

test("property: from any pods, with pods that become ready, it settles at the wish, never below it by its own doing", () => {
  const start = fc.array(fc.record({ current: fc.boolean(), ready: fc.boolean() }), { maxLength: 8 });
  fc.assert(
    fc.property(fc.nat(5), start, fc.infiniteStream(fc.boolean()), (replicas, initial, becomesReady) => {
      const web = deployment(replicas);
      let pods = initial.map((each) => pod(web, each));
      for (let step = 0; step < 60; step++) {
        const before = pods.filter(isReady).length;
        const { create, remove } = planDeployment(web, pods, now);
        pods = pods.filter((each) => !remove.includes(each));
        expect(pods.filter(isReady).length).toBeGreaterThanOrEqual(Math.min(before, replicas));
        for (let count = 0; count < create; count++) pods.push(pod(web, { ready: false }));
        expect(pods.length).toBeLessThanOrEqual(Math.max(replicas + 1, initial.length + 1));
        const next = pods.find((each) => !isReady(each));
        if (next && (step > 40 || becomesReady.next().value)) next.status = pod(web).status!;
      }
      expect(pods.map(({ metadata }) => metadata.labels?.[TEMPLATE_HASH_LABEL])).toEqual(
        pods.map(() => templateHash(web)),
      );
      expect(pods).toHaveLength(replicas);
    }),
  );
});

test("the template hash depends on the template's content, not on the order of its fields", () => {
  const web = deployment(1);
  const { spec, metadata } = web.spec.template;
  expect(templateHash({ ...web, spec: { ...web.spec, template: { spec, ...(metadata ? { metadata } : {}) } } })).toBe(
    templateHash(web),
  );
  expect(templateHash(deployment(5))).toBe(templateHash(web));
  expect(templateHash(deployment(1, { template: { spec: { containers: [{ name: "a", image: "a:3" }] } } }))).not.toBe(
    templateHash(web),
  );
});

describe("status", () => {
  const web = deployment(2);

  test("counts pods and keeps the times of conditions that say the same", () => {
    const first = statusOf(web, [pod(web), pod(web, { ready: false })], now, undefined);
    expect(first).toMatchObject({
      observedGeneration: 4,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 1,
      availableReplicas: 1,
      unavailableReplicas: 1,
    });
    const again = statusOf(
      { ...web, status: first },
      [pod(web), pod(web, { ready: false })],
      new Date("2031-01-01T00:00:00Z"),
      undefined,
    );
    expect(again).toEqual(first);
    const later = statusOf(
      { ...web, status: first },
      [pod(web), pod(web)],
      new Date("2031-01-01T00:00:00Z"),
      undefined,
    );
    expect(later.conditions).toContainEqual(
      expect.objectContaining({ type: "Available", status: "True", lastTransitionTime: "2031-01-01T00:00:00Z" }),
    );
  });

  test("says why pods could not be created", () => {
    const { conditions } = statusOf(web, [], now, "denied");
    expect(conditions).toContainEqual(
      expect.objectContaining({ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "denied" }),
    );
    expect(conditions).toContainEqual(expect.objectContaining({ type: "Available", status: "False" }));
  });
});
