// SPDX-License-Identifier: Apache-2.0
import { applyPatch } from "@hot/inject";
import type { EventText, KubeObject } from "@hot/kube";
import type { SidecarSet } from "@hot/spec";
import { beforeEach, describe, expect, test } from "vitest";
import { createInjectionEvents } from "../src/events.ts";
import { decideDefaults } from "../src/handlers/sidecar-set-mutate.ts";
import { createLog, type Log } from "../src/log.ts";
import { createMetrics, type Metrics } from "../src/metrics.ts";
import { createRoutes, type RouteOptions } from "../src/routes.ts";
import { createFakeApi, type FakeApi } from "./fake-api.ts";
import { aPod, aSidecarSet, podReview, sidecarSetRequest } from "./reviews.ts";

interface Reply {
  response: { allowed: boolean; patch?: string; warnings?: string[]; status?: { code: number; message: string } };
}

let api: FakeApi;
let events: ({ regarding: KubeObject } & EventText)[];
let lines: { msg: string; [field: string]: unknown }[];
let log: Log;
let metrics: Metrics;
let time: number;

beforeEach(() => {
  api = createFakeApi();
  events = [];
  lines = [];
  log = createLog("debug", (line) => lines.push(JSON.parse(line) as (typeof lines)[number]));
  metrics = createMetrics();
  time = 0;
});

function storeOf<T extends KubeObject>(...objects: T[]): RouteOptions["sidecarSets"]["store"] & { list(): T[] } {
  const byName = new Map(objects.map((object) => [object.metadata.name, object]));
  return {
    get: (key: string) => byName.get(key),
    list: () => objects,
    size: objects.length,
  } as unknown as RouteOptions["sidecarSets"]["store"] & { list(): T[] };
}

function routes(sidecarSets: SidecarSet[], options: Partial<RouteOptions> = {}): ReturnType<typeof createRoutes> {
  const recorder = createInjectionEvents({
    recorder: { event: (regarding, text) => events.push({ regarding, ...text }) },
    now: () => time,
  });
  return createRoutes({
    api,
    namespace: "hot-system",
    sidecarSets: { store: storeOf(...sidecarSets), synced: () => true, waitForSync: async () => {} },
    namespaces: { store: storeOf() },
    revisions: { store: storeOf() as never, synced: () => true },
    failurePolicy: "Ignore",
    events: recorder,
    metrics,
    log,
    afterAnswer: (work) => work(),
    ...options,
  });
}

const admit = async (all: ReturnType<typeof createRoutes>, review: object): Promise<Reply["response"]> =>
  ((await all["/mutate-pod"]!(review)) as Reply).response;

describe("a pod", () => {
  test("a namespace that the cache does not have yet is read from the API server", async () => {
    const sidecarSet = aSidecarSet();
    sidecarSet.spec.namespaceSelector = { matchLabels: { team: "a" } };
    api.put("namespaces", { metadata: { name: "shop", labels: { team: "a" } } });
    expect((await admit(routes([sidecarSet]), podReview(aPod()))).patch).toBeDefined();
  });

  test("a namespace that can't be read: not injected, and said so", async () => {
    const sidecarSet = aSidecarSet();
    sidecarSet.spec.namespaceSelector = { matchLabels: { team: "a" } };
    api.refuse = 503;
    const { allowed, patch, warnings } = await admit(routes([sidecarSet]), podReview(aPod()));
    expect({ allowed, patch }).toEqual({ allowed: true, patch: undefined });
    expect(warnings?.[0]).toContain("HOT2103");
  });

  test("an API server that does not answer in time: as a namespace that can't be read, before the webhook's own end", async () => {
    const sidecarSet = aSidecarSet();
    sidecarSet.spec.namespaceSelector = { matchLabels: { team: "a" } };
    const get = (_resource: unknown, _name: string, options?: { signal?: AbortSignal }): Promise<never> =>
      new Promise((_, reject) => {
        options?.signal?.addEventListener("abort", () => reject(new Error("no answer")));
      });
    const { allowed, warnings } = await admit(routes([sidecarSet], { api: { ...api, get } }), podReview(aPod()));
    expect(allowed).toBe(true);
    expect(warnings?.[0]).toContain("HOT2103");
  });

  test("before the SidecarSets are known it waits for them", async () => {
    let synced = false;
    const sidecarSets = {
      store: storeOf(aSidecarSet() as SidecarSet & KubeObject),
      synced: () => synced,
      waitForSync: async () => {
        synced = true;
      },
    };
    expect((await admit(routes([], { sidecarSets }), podReview(aPod()))).patch).toBeDefined();
  });

  test.each(["Ignore", "Fail"] as const)(
    "if they do not come: %s decides, and nothing is guessed",
    async (failurePolicy) => {
      const sidecarSets = {
        store: storeOf(),
        synced: () => false,
        waitForSync: () => Promise.reject(new Error("timeout")),
      };
      const { allowed, warnings, status } = await admit(routes([], { sidecarSets, failurePolicy }), podReview(aPod()));
      expect(allowed).toBe(failurePolicy === "Ignore");
      expect(warnings?.[0] ?? status?.message).toMatch(/SidecarSets have not been read yet.*HOT5101/);
    },
  );
});

describe("what was not injected", () => {
  test("is an event on the SidecarSet, a log line and a metric", async () => {
    await admit(routes([aSidecarSet()]), podReview(aPod("proxy-1")));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      reason: "InjectionSkipped",
      type: "Warning",
      regarding: { kind: "SidecarSet", metadata: { name: "mesh", uid: "uid-mesh" } },
    });
    expect(events[0]?.note).toMatch(/^pod shop\/web-5d4f-\* was not injected: .*\(HOT2101\)$/);
    expect(lines).toContainEqual(expect.objectContaining({ level: "warn", msg: "not injected", code: "HOT2101" }));
    expect(await metrics.text()).toContain('hot_injection_total{result="skipped",reason="NameCollision"} 1');
  });

  test("one event for all pods of a workload in ten minutes, however many fail", async () => {
    const all = routes([aSidecarSet()]);
    for (let pod = 0; pod < 5; pod++) await admit(all, podReview(aPod("proxy-1")));
    expect(events).toHaveLength(1);
    time += 10 * 60 * 1000;
    await admit(all, podReview(aPod("proxy-1")));
    expect(events).toHaveLength(2);
  });

  test("a dry run leaves no event", async () => {
    await admit(routes([aSidecarSet()]), podReview(aPod("proxy-1"), { dryRun: true }));
    expect(events).toEqual([]);
  });

  test("a SidecarSet that selects other pods is neither event nor metric", async () => {
    const other = aSidecarSet();
    other.spec.selector = { matchLabels: { app: "other" } };
    await admit(routes([other]), podReview(aPod()));
    expect(events).toEqual([]);
    expect(await metrics.text()).not.toContain("hot_injection_total{");
  });
});

describe("what is told about an injection", () => {
  test("comes after the answer", async () => {
    const later: (() => void)[] = [];
    const all = routes([aSidecarSet()], { afterAnswer: (work) => later.push(work) });
    expect((await admit(all, podReview(aPod()))).patch).toBeDefined();
    expect(lines).toEqual([]);
    for (const work of later) work();
    expect(lines).toContainEqual(expect.objectContaining({ msg: "injected", sidecarSet: "mesh" }));
    expect(await metrics.text()).toContain('hot_injection_total{result="injected",reason="Injected"} 1');
  });

  test("if that fails, it is a line of the log and never the end of the program", async () => {
    metrics.injection = () => {
      throw new Error("no such label");
    };
    expect((await admit(routes([aSidecarSet()]), podReview(aPod()))).patch).toBeDefined();
    expect(lines).toContainEqual(expect.objectContaining({ level: "error", msg: "an admission was not reported" }));
  });
});

test("a fault of ours is an answer with a code, not an exception", async () => {
  const broken = {
    ...storeOf(),
    list: () => {
      throw new Error("broken store");
    },
  };
  const all = routes([], { sidecarSets: { store: broken, synced: () => true, waitForSync: async () => {} } });
  const review = podReview(
    {},
    {
      kind: { group: "apps.kruise.io", version: "v1beta1", kind: "SidecarSet" },
      resource: { group: "apps.kruise.io", version: "v1beta1", resource: "sidecarsets" },
      object: aSidecarSet(),
    },
  );
  const { response } = (await all["/validate-sidecarset"]!(review)) as Reply;
  expect(response).toMatchObject({ allowed: false, status: { code: 500 } });
  expect(response.status?.message).toMatch(/broken store \(HOT5901\)/);
});

test("patchPodMetadata may set what the ConfigMap allows, and nothing without it", async () => {
  const sidecarSet = aSidecarSet();
  sidecarSet.spec.patchPodMetadata = [{ annotations: { "team.example/owner": "a" }, patchPolicy: "Overwrite" }];
  const { patch = [] } = decideDefaults(sidecarSetRequest(sidecarSet));
  const request = sidecarSetRequest(applyPatch(sidecarSet, patch));
  const review = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request };
  const judge = async (): Promise<Reply["response"]> =>
    ((await routes([])["/validate-sidecarset"]!(review)) as Reply).response;

  expect((await judge()).status?.message).toContain("team.example/owner");
  const allow = (expression: string): void =>
    api.put("configmaps", {
      metadata: { name: "kruise-configuration", namespace: "hot-system" },
      data: {
        SidecarSet_PatchPodMetadata_WhiteList: JSON.stringify({
          rules: [{ allowedAnnotationKeyExprs: [expression] }],
        }),
      },
    });
  allow("^other/");
  expect(await judge()).toMatchObject({ allowed: false, status: { code: 422 } });
  allow("^team[.]example/");
  expect((await judge()).allowed).toBe(true);
});

/** JSON that no text can be made of: `${it}` throws. */
const NO_TEXT = { toString: null, valueOf: null };

test.each(["name", "namespace", "subResource"])("a review whose %s is no text is refused", async (field) => {
  const review = podReview(aPod()) as { request: object };
  const body = { ...review, request: { ...review.request, [field]: NO_TEXT } };
  await expect(async () => routes([])["/mutate-pod"]?.(body)).rejects.toThrow("HOT5");
});

test.each(["name", "generateName"])(
  "a pod whose %s is no text is answered, and nothing is thrown after that",
  async (field) => {
    const pod = { ...aPod(), metadata: { labels: { app: "web" }, [field]: NO_TEXT } };
    const later: (() => void)[] = [];
    const reply = (await routes([aSidecarSet()], { afterAnswer: (work) => later.push(work) })["/mutate-pod"]?.(
      podReview({ ...pod, spec: {} } as never),
    )) as Reply;
    expect(reply.response.allowed).toBe(true);
    expect(later).toHaveLength(1);
    later[0]?.();
  },
);
