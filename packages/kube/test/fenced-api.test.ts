// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from "vitest";
import type { Api } from "../src/api.ts";
import { fencedApi } from "../src/fenced-api.ts";
import { NotLeaderError } from "../src/leader-elector.ts";
import { RESOURCES } from "../src/resources.ts";
import { FakeApi } from "../src/testing/fake-api.ts";

const pod = { metadata: { name: "web-0", namespace: "shop" } };
const at = { namespace: "shop" };

let inner: FakeApi;
let leads: boolean;
let term: AbortController;
let api: Api;

beforeEach(() => {
  inner = new FakeApi();
  inner.seed(RESOURCES.pods, pod);
  leads = true;
  term = new AbortController();
  const fence = (): void => {
    if (!leads) throw new NotLeaderError("hot-system/x");
  };
  api = fencedApi(inner, { fence, writes: term.signal });
});

const writes: [string, () => Promise<unknown>][] = [
  ["create", () => api.create(RESOURCES.pods, { metadata: { name: "web-1", namespace: "shop" } })],
  ["update", () => api.update(RESOURCES.pods, { ...pod, spec: {} }, at)],
  ["patch", () => api.patch(RESOURCES.pods, "web-0", { type: "merge", body: {} }, at)],
  ["delete", () => api.delete(RESOURCES.pods, "web-0", at)],
];

describe.each(writes)("%s", (_, write) => {
  test("passes while the fence is open", async () => {
    await write();
    expect(inner.calls).toHaveLength(1);
  });

  test("is rejected and not sent when it is closed", async () => {
    leads = false;
    await expect(write()).rejects.toThrow(NotLeaderError);
    expect(inner.calls).toEqual([]);
  });
});

test("reads pass either way", async () => {
  leads = false;
  await api.get(RESOURCES.pods, "web-0", at);
  const { metadata } = await api.list(RESOURCES.pods);
  const watch = api.watch(RESOURCES.pods, { ...metadata, signal: AbortSignal.timeout(0) });
  await expect(watch[Symbol.asyncIterator]().next()).rejects.toThrow();
  expect(inner.calls.map(({ verb }) => verb)).toEqual(["get", "list", "watch"]);
});

test("a write under way is given up when the term ends, or when its own caller gives it up", async () => {
  const signals: (AbortSignal | undefined)[] = [];
  inner.delete = async (_resource, _name, options) => void signals.push(options?.signal);
  const own = new AbortController();
  await api.delete(RESOURCES.pods, "web-0", at);
  await api.delete(RESOURCES.pods, "web-0", { ...at, signal: own.signal });
  await api.delete(RESOURCES.pods, "web-0", { ...at, signal: new AbortController().signal });
  own.abort();
  expect(signals.map((signal) => signal?.aborted)).toEqual([false, true, false]);
  term.abort();
  expect(signals.map((signal) => signal?.aborted)).toEqual([true, true, true]);
});
