// SPDX-License-Identifier: Apache-2.0
import { ApiError, type Api } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { expect, test } from "vitest";
import { applyCondition, applyWrite, resolve, type Writing } from "../../src/act/apply.ts";
import { createExpectations, type Expectation } from "../../src/act/expectations.ts";
import { projectPod, type PodProjection } from "../../src/index.ts";
import type { PodWrite } from "../../src/plan/writes.ts";
import { injectedPod, sidecarSet } from "../support/builders.ts";

const pod = (resourceVersion: string): PodProjection => projectPod(stored(resourceVersion));
const upgrade: PodWrite = { kind: "upgrade", images: { "x-2": "x:2" }, annotations: {} };
const mark: PodWrite = { kind: "mark", images: {}, annotations: { marked: "yes" } };

function stored(resourceVersion: string): Pod {
  const one = injectedPod(sidecarSet({ image: "x:1" }));
  return { ...one, metadata: { ...one.metadata, uid: "u", resourceVersion } };
}

interface Call {
  readonly verb: "get" | "patch";
  readonly answer: (after: Pod) => void;
  readonly refuse: (error: unknown) => void;
}

/** Calls whose answers the test gives. */
function held(): { writing: Writing; calls: Call[] } {
  const calls: Call[] = [];
  const call = (verb: Call["verb"]) => () =>
    new Promise<Pod>((answer, refuse) => void calls.push({ verb, answer, refuse }));
  const api = { get: call("get"), patch: call("patch") } as unknown as Pick<Api, "get" | "patch">;
  return {
    calls,
    writing: { api, expectations: createExpectations(() => 0), signal: new AbortController().signal },
  };
}

const turns = (): Promise<void> => new Promise((done) => void setImmediate(done));

test("of two SidecarSets that write one pod in the same instant only one does, and its write is counted", async () => {
  const { writing, calls } = held();
  const first = applyWrite(writing, pod("5"), upgrade);
  const second = applyWrite(writing, pod("5"), mark);
  await turns();
  expect(calls.map((one) => one.verb)).toEqual(["patch"]);
  expect(await second).toEqual({ result: "conflict" });
  expect(await applyCondition(writing, pod("5"), "message", 0)).toEqual({ result: "conflict" });
  expect(writing.expectations.pending(() => pod("5"))).toEqual(new Map([["u", "upgrade"]]));
  calls[0]?.answer(stored("6"));
  expect(await first).toEqual({ result: "committed" });
});

test("what was planned on an older state than the write under way is not sent, and does not hide it", async () => {
  const { writing, calls } = held();
  void applyWrite(writing, pod("6"), upgrade);
  await turns();
  const older = applyWrite(writing, pod("5"), mark);
  await turns();
  expect(calls.map((one) => one.verb)).toEqual(["patch"]);
  expect(await older).toEqual({ result: "conflict" });
  expect(writing.expectations.pending(() => pod("6"))).toEqual(new Map([["u", "upgrade"]]));
});

test.each([
  ["mirror/x:2", "2", { result: "committed" }],
  ["x:2", "1", { result: "unknown" }],
])("no clear answer, and then the pod has %s and version %s", async (image, version, outcome) => {
  const { writing, calls } = held();
  const key = "version.sidecarset.kruise.io/x-2";
  const sent = applyWrite(writing, pod("5"), { ...upgrade, annotations: { [key]: "2" } });
  await turns();
  calls[0]?.refuse(new ApiError("patch pods", 504, { message: "timeout" }));
  await turns();
  const live = stored("6");
  const containers = live.spec.containers.map((one) => (one.name === "x-2" ? { ...one, image } : one));
  const annotations = { ...live.metadata.annotations, [key]: version };
  calls[1]?.answer({ ...live, metadata: { ...live.metadata, annotations }, spec: { ...live.spec, containers } });
  expect(await sent).toMatchObject(outcome);
});

test("what is read late, about a write that another round has cleared up, says nothing about the next one", async () => {
  const { writing, calls } = held();
  const first = applyWrite(writing, pod("5"), mark);
  await turns();
  calls[0]?.refuse(new ApiError("patch pods", 500, { message: "no" }));
  await turns();
  // It reads the pod; so does another round, and is answered sooner.
  const [unresolved] = writing.expectations.unresolved(() => pod("5"));
  const other = resolve(writing, unresolved as Expectation);
  calls[2]?.answer(stored("5"));
  await other;
  void applyWrite(writing, pod("5"), upgrade);
  await turns();
  calls[1]?.answer(stored("5"));
  expect(await first).toMatchObject({ result: "unknown" });
  expect(calls.map((one) => one.verb)).toEqual(["patch", "get", "get", "patch"]);
  expect(writing.expectations.pending(() => pod("5"))).toEqual(new Map([["u", "upgrade"]]));
});
