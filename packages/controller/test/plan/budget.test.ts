// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { failureLimit, partitionOf, pick } from "../../src/plan/budget.ts";
import { injectedPod, running, sidecarSet } from "../support/builders.ts";
import { carriedOut } from "../support/kubelet.ts";
import { after, planFor, upgrading } from "../support/planning.ts";

const ready = (count: number, value = true) => Array.from({ length: count }, () => ({ pod: { ready: value } }));

describe("how many pods are picked", () => {
  // total / updated / updated and ready, as measured with Kruise.
  test.each([
    [100, 30, 26, { maxUnavailable: 10 }, 6],
    [1000, 300, 260, { maxUnavailable: "10%" }, 60],
    [1000, 300, 250, { maxUnavailable: "5%" }, 0],
    [100, 30, 27, { maxUnavailable: 100 }, 70],
    [1000, 800, 760, { maxUnavailable: 100, partition: 180 }, 20],
    [1000, 800, 760, { maxUnavailable: 100, partition: "18%" }, 20],
    [1000, 800, 760, { maxUnavailable: 100, partition: 100 }, 60],
    [5, 0, 0, { maxUnavailable: "5%" }, 1],
    [5, 0, 0, { maxUnavailable: 5, partition: "99%" }, 1],
    [5, 0, 0, { maxUnavailable: 5, partition: "1%" }, 4],
    [5, 0, 0, { maxUnavailable: 5, partition: "100%" }, 0],
    [5, 0, 0, { maxUnavailable: 0 }, 0],
    [5, 0, 0, {}, 1],
  ])("%i / %i / %i, %j → %i", (total, updated, updatedReady, strategy, picked) => {
    const candidates = ready(total - updated);
    expect(pick(candidates, strategy, { total, held: updated - updatedReady }).start).toHaveLength(picked);
  });

  test("a pod that is not ready takes no unit; the walk stops at the first ready one without a unit", () => {
    const candidates = [...ready(2, false), ...ready(2), ...ready(1, false)];
    const { start, blocked } = pick(candidates, { maxUnavailable: 1 }, { total: 5, held: 0 });
    expect([start.length, blocked.length]).toEqual([3, 2]);
  });

  test("what disturbs nobody takes no unit and waits for none, but stays within the partition", () => {
    const candidates = ready(5).map((one, index) => ({ ...one, index }));
    const disturbs = ({ index }: { index: number }) => index % 2 === 0;
    const picked = pick(candidates, { maxUnavailable: 1, partition: 1 }, { total: 5, held: 0 }, { disturbs });
    expect(picked.start.map(({ index }) => index)).toEqual([0, 1, 3]);
    expect(picked.partitioned.map(({ index }) => index)).toEqual([4]);
  });

  test("what can't be read holds everything back", () => {
    expect(partitionOf({ partition: "half" }, 5)).toBe(5);
    expect(pick(ready(5), { maxUnavailable: "half" }, { total: 5, held: 0 }).start).toEqual([]);
  });

  test.each([
    [undefined, 10, 1],
    [3, 10, 3],
    ["25%", 10, 3],
    ["1%", 10, 1],
    ["0%", 10, 1],
    [0, 10, 1],
  ])("failureThreshold %s of %i pods is %i", (failureThreshold, total, limit) => {
    const hotUpgrade = failureThreshold === undefined ? {} : { failureThreshold };
    expect(failureLimit({ hotUpgrade }, total)).toBe(limit);
  });
});

describe("a pod keeps its unit until it is settled", () => {
  const v1 = sidecarSet({ image: "x:1" });
  const v2 = sidecarSet({ image: "x:2", strategy: { hotUpgrade: { failureThreshold: 2 } } });
  const waiting = injectedPod(v1, "web-1");
  const second = (first: ReturnType<typeof injectedPod>) => planFor([first, waiting], v2).pods[1]?.reason;
  const written = upgrading(injectedPod(v1, "web-0"), v2);
  const taken = carriedOut(written)!;
  const reset = after(taken, planFor([taken], v2).writes[0]?.write);
  const failing = carriedOut(written, () => "pullError")!;
  const aborted = after(failing, planFor([failing], v2).writes[0]?.write);

  test.each([
    ["after the upgrade", written],
    ["after the takeover", taken],
    ["after the reset", reset],
    ["after the abort", aborted],
  ])("%s", (_, pod) => {
    expect(second(pod)).toBe("MaxUnavailableReached");
  });

  test("not any longer when it has been reset and is ready", () => {
    expect(second(carriedOut(reset)!)).toBe("Upgrading");
  });

  test("not any longer when the standby of an aborted pod is back", () => {
    expect(second(carriedOut(aborted)!)).toBe("Upgrading");
  });

  test("an app container that is not ready in an old pod blocks nothing", () => {
    const statuses = waiting.status!.containerStatuses!.map((one) =>
      one.name === "main" ? running("main", "main:1", 1, { ready: false }) : one,
    );
    const conditions = [{ type: "Ready", status: "False" as const }];
    const pod = { ...waiting, status: { ...waiting.status, conditions, containerStatuses: statuses } };
    expect(planFor([pod], v2).writes[0]?.write.kind).toBe("upgrade");
  });
});
