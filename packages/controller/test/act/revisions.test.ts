// SPDX-License-Identifier: Apache-2.0
import { ApiError, type Api } from "@hot/kube";
import { newRevision, REVISION_OWNER_LABEL, type ControllerRevision, type SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { createRevisions } from "../../src/act/revisions.ts";
import { recordRevision } from "../../src/record-revision.ts";
import { sidecarSet } from "../support/builders.ts";

test("where every name belongs to others it gives up and says which objects to delete", async () => {
  let asked = 0;
  const api = {
    list: () => Promise.resolve({ items: [] }),
    create: () => {
      asked++;
      return Promise.reject(new ApiError("create", 409, { reason: "AlreadyExists" }));
    },
    get: (_resource: unknown, name: string): Promise<ControllerRevision> =>
      Promise.resolve({ metadata: { name }, revision: 1, data: { spec: "another" } }),
  } as unknown as Api;
  const revisions = createRevisions({ api, store: { list: () => [] }, namespace: "hot-system", now: () => 0 });
  const sync = revisions.sync(sidecarSet({ image: "x:1" }), () => new Set(), new AbortController().signal);
  await expect(sync).rejects.toThrow(
    new RegExp(`SidecarSet mesh .*Delete those called mesh-… in namespace hot-system .*${REVISION_OWNER_LABEL}=mesh`),
  );
  expect(asked).toBe(21);
});

test.each([
  ["as planned on", (live: SidecarSet) => live, 1],
  ["another last good revision", (live: SidecarSet) => withGood(live, "mesh-other"), 0],
  ["another generation", (live: SidecarSet) => withGeneration(live, 9), 0],
])("a history is cut only for the SidecarSet as the API server has it (%s)", async (_, change, deleted) => {
  const stale = withGood(limited("x:3"), "mesh-good");
  const live = change(stale);
  const existing = ["x:1", "x:2", "x:3"].map((image, at) =>
    newRevision(limited(image), { namespace: "hot-system", revision: at + 1, collisionCount: 0 }),
  );
  const gone: string[] = [];
  const api = {
    list: () => Promise.resolve({ items: existing }),
    get: () => Promise.resolve(live),
    delete: (_resource: unknown, name: string) => Promise.resolve(gone.push(name)),
  } as unknown as Api;
  let time = 0;
  const revisions = createRevisions({ api, store: { list: () => existing }, namespace: "hot-system", now: () => time });
  const { signal } = new AbortController();
  await revisions.sync(stale, () => new Set(), signal);
  expect(gone).toHaveLength(deleted);
  // Looked at again, once the cache may have caught up.
  time = 60_001;
  if (deleted === 0) await revisions.sync(live, () => new Set(), signal);
  expect(gone).toEqual([existing[0]?.metadata.name]);
});

test("of a SidecarSet that is gone, though the cache has it, nothing is deleted, and it is asked for once a minute", async () => {
  const existing = ["x:1", "x:2", "x:3"].map((image, at) =>
    newRevision(limited(image), { namespace: "hot-system", revision: at + 1, collisionCount: 0 }),
  );
  let reads = 0;
  const api = {
    list: () => Promise.resolve({ items: existing }),
    get: () => {
      reads++;
      return Promise.reject(new ApiError("get", 404, { reason: "NotFound" }));
    },
    delete: () => Promise.reject(new Error("the garbage collector does that")),
  } as unknown as Api;
  let time = 0;
  const revisions = createRevisions({ api, store: { list: () => existing }, namespace: "hot-system", now: () => time });
  const { signal } = new AbortController();
  for (time = 0; time < 120_000; time += 1_000) await revisions.sync(limited("x:3"), () => new Set(), signal);
  expect(reads).toBe(2);
});

test.each([
  ["create", [], "x:1"],
  ["patch", ["x:1", "x:2"], "x:1"],
  ["delete", ["x:1", "x:2", "x:3"], "x:3"],
])("a stop finishes a %s that is under way", async (verb, recorded, wished) => {
  const next = limited(wished);
  const existing = recorded.map((image, at) =>
    newRevision(limited(image), { namespace: "hot-system", revision: at + 1, collisionCount: 0 }),
  );
  const stop = new AbortController();
  const sent: string[] = [];
  /** Everything stops before the answer. As from a transport: a call that its own signal ends gets none. */
  const write =
    (name: string) =>
    (...call: readonly unknown[]): Promise<unknown> => {
      const { signal } = call.at(-1) as { signal?: AbortSignal };
      sent.push(name);
      stop.abort();
      return signal?.aborted === true ? Promise.reject(signal.reason as Error) : Promise.resolve({});
    };
  const api = {
    list: () => Promise.resolve({ items: existing }),
    get: () => Promise.resolve(next),
    create: write("create"),
    patch: write("patch"),
    delete: write("delete"),
  } as unknown as Api;
  const revisions = createRevisions({ api, store: { list: () => existing }, namespace: "hot-system", now: () => 0 });
  const { latest } = await revisions.sync(next, () => new Set(), stop.signal);
  expect(latest).toMatch(/^mesh-/);
  expect(sent).toEqual([verb]);
});

test("while it can't be recorded, a SidecarSet is not known by the revision that it was before", async () => {
  const before = {
    ...limited("x:2"),
    status: { latestRevision: "mesh-old", lastGoodRevision: "mesh-old" },
  } as SidecarSet;
  const problem = new Error("refused");
  const recorded = await recordRevision(
    before,
    () => [],
    { sync: () => Promise.reject(problem) },
    new AbortController().signal,
  );
  expect(recorded).toEqual({ sidecarSet: { ...before, status: { lastGoodRevision: "mesh-old" } }, problem });
});

function limited(image: string): SidecarSet {
  const one = sidecarSet({ image });
  return { ...one, spec: { ...one.spec, revisionHistoryLimit: 2 } };
}

function withGood(one: SidecarSet, lastGoodRevision: string): SidecarSet {
  return { ...one, status: { ...one.status, lastGoodRevision } as SidecarSet["status"] } as SidecarSet;
}

function withGeneration(one: SidecarSet, generation: number): SidecarSet {
  return { ...one, metadata: { ...one.metadata, generation } };
}
