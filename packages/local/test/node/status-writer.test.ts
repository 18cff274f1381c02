// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { PodStatus } from "@hot/spec";
import { StatusWriter } from "../../src/node/status-writer.ts";
import { FakeApi } from "./fake-api.ts";
import { createFakeClock } from "@hot/kube/testing";

function start() {
  const api = new FakeApi();
  const clock = createFakeClock();
  const log: string[] = [];
  const pod = api.addPod("p", { containers: [] });
  const writer = new StatusWriter({ api, pod, clock, log: (line) => log.push(line) });
  const phases = (): (string | undefined)[] => api.history.slice(1).map(({ status }) => status?.phase);
  return { api, clock, log, writer, phases };
}

test("every status that is set is written, in order; the same one only once", async () => {
  const { writer, phases } = start();
  for (const phase of ["Running", "Failed", "Failed", "Running"] as const) writer.set({ phase });
  await writer.flush();
  expect(phases()).toEqual(["Running", "Failed", "Running"]);
});

test("after a failed write only the newest counts", async () => {
  const { api, clock, log, writer, phases } = start();
  api.statusFailure = 500;
  for (const phase of ["Running", "Unknown", "Failed"] as const) writer.set({ phase });
  await setImmediate();
  expect(phases()).toEqual([]);
  api.statusFailure = undefined;
  await clock.advance(1000);
  await writer.flush();
  expect(phases()).toEqual(["Failed"]);
  expect(log).toHaveLength(1);
});

test("what a condition has no longer is removed, what others wrote is kept", async () => {
  const { api, writer } = start();
  const conditions = (more: object): PodStatus => ({ conditions: [{ type: "Ready", status: "True", ...more }] });
  writer.set(conditions({ status: "False", reason: "ContainersNotReady", message: "because" }));
  await writer.flush();
  api.setCondition("p", { type: "Mine", status: "True" });
  writer.set(conditions({}));
  await writer.flush();
  expect(api.pod("p").status?.conditions).toEqual([
    { type: "Ready", status: "True" },
    { type: "Mine", status: "True" },
  ]);
});

test("a pod that is gone is let alone, and so is one of the same name that came later", async () => {
  const { api, clock, log, writer } = start();
  api.deletePod("p", 0);
  const other = api.addPod("p", { containers: [] });
  writer.set({ phase: "Failed" });
  await clock.advance(1000);
  expect(api.pod("p")).toBe(other);
  api.deletePod("p", 0);
  await clock.advance(10_000);
  await writer.flush();
  expect(log).toHaveLength(2); // one conflict per attempt, then 404 ends it
});
