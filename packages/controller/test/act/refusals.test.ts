// SPDX-License-Identifier: Apache-2.0
import { ApiError } from "@hot/kube";
import { expect, test } from "vitest";
import { createRefusals, isRefusal, reasonOf } from "../../src/act/refusals.ts";
import { projectPod } from "../../src/index.ts";
import { injectedPod, sidecarSet, T0 } from "../support/builders.ts";

const v2 = sidecarSet({ image: "x:2" });
const pod = projectPod(injectedPod(sidecarSet({ image: "x:1" })));
const denied = new ApiError("PATCH pods ns1/web-0", 403, { message: "denied by policy." });

test("a refusal counts for what was wanted, and is forgotten with it or with time", () => {
  let now = T0;
  const refusals = createRefusals(() => now);
  expect([...refusals.of("mesh", v2)]).toEqual([]);
  refusals.refuse("mesh", pod, "upgrade", denied);
  expect([...refusals.of("mesh", v2)]).toEqual([
    [`upgrade ${pod.uid}`, { resourceVersion: pod.resourceVersion, message: "denied by policy", until: T0 + 60_000 }],
  ]);
  expect(refusals.of("other", v2).size).toBe(0);
  now = T0 + 60_000;
  // It is time to try, and still known why.
  expect(refusals.of("mesh", v2).size).toBe(1);
  now = T0 + 120_001;
  expect(refusals.of("mesh", v2).size).toBe(0);

  refusals.refuse("mesh", pod, "upgrade", denied);
  const other = { ...v2, metadata: { ...v2.metadata, generation: 9 } };
  expect(refusals.of("mesh", other).size).toBe(0);
  refusals.refuse("mesh", pod, "upgrade", denied);
  expect(refusals.of("mesh", undefined).size).toBe(0);
});

test("one pod has one refusal of a kind; of very many each is tried less often", () => {
  const refusals = createRefusals(() => T0);
  refusals.of("mesh", v2);
  for (let i = 0; i < 3; i++) refusals.refuse("mesh", pod, "reset", denied);
  expect(refusals.of("mesh", v2).size).toBe(1);
  for (let i = 0; i < 10_000; i++) refusals.refuse("mesh", { ...pod, uid: `u${i}` }, "upgrade", denied);
  const untils = [...refusals.of("mesh", v2).values()].map(({ until }) => until - T0);
  // 20 in a second, at most.
  expect(Math.max(...untils)).toBeGreaterThanOrEqual(10_000 * 50);
});

test.each([
  [400, true],
  [401, true],
  [403, true],
  [422, true],
  [404, false],
  [409, false],
  [429, false],
  [500, false],
  [503, false],
])("%i: a refusal %s", (status, is) => {
  expect(isRefusal(new ApiError("PATCH pods", status, {}))).toBe(is);
});

test("what was said is cut, and an error without an answer says what it says", () => {
  expect(isRefusal(new Error("no network"))).toBe(false);
  expect(reasonOf(new Error("no network."))).toBe("no network");
  expect(reasonOf(new ApiError("PATCH", 403, { message: "x".repeat(1000) }))).toHaveLength(301);
});
