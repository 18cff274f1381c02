// SPDX-License-Identifier: Apache-2.0
import { BASE_ANNOTATION, CANARY_ANNOTATION, type Pod, type SidecarSet, type SidecarSetSpec } from "@hot/spec";
import { beforeEach, describe, expect, test } from "vitest";
import { createInjectionIndex, type InjectionIndex, type InjectionIndexOptions } from "../src/injection-index.ts";
import { projectPod, type PodProjection } from "../src/plan/pod-projection.ts";
import { injectedPod, sidecarSet } from "./support/builders.ts";

const CREATED = "2029-12-01T00:00:00Z";
const BEFORE = "2029-11-30T23:59:59Z";
const pods = new Map<string, PodProjection>();
const namespaces = new Map<string, Record<string, string>>();
let index: InjectionIndex;

function build(sidecarSets: readonly SidecarSet[], options: Partial<InjectionIndexOptions> = {}): void {
  index = createInjectionIndex({
    pods,
    namespaces: (name) => namespaces.get(name),
    isInjectable: () => true,
    sidecarSets,
    ...options,
  });
}

beforeEach(() => {
  pods.clear();
  namespaces.clear();
  namespaces.set("ns1", {});
  build([set()]);
});

function set(name = "mesh", spec: Partial<SidecarSetSpec> = {}, metadata: Partial<SidecarSet["metadata"]> = {}) {
  const one = sidecarSet({ name });
  return {
    ...one,
    metadata: { ...one.metadata, creationTimestamp: CREATED, ...metadata },
    spec: { ...one.spec, ...spec },
  };
}

const newer = (one: SidecarSet): SidecarSet => ({
  ...one,
  metadata: { ...one.metadata, generation: (one.metadata.generation ?? 0) + 1 },
});

const TEMPLATE = injectedPod(sidecarSet());

/** A pod without any injection. */
function bare(
  name: string,
  change: { labels?: Record<string, string>; status?: Pod["status"]; created?: string } = {},
) {
  const { annotations: _, ...metadata } = TEMPLATE.metadata;
  const { labels = { app: "web" }, status = TEMPLATE.status ?? {}, created = "2029-12-31T00:00:00Z" } = change;
  return {
    ...TEMPLATE,
    metadata: { ...metadata, name, uid: `uid-${name}`, labels, creationTimestamp: created },
    status,
  } satisfies Pod;
}

function put(pod: Pod): string[] {
  const projected = projectPod(pod);
  const key = `${projected.namespace}/${projected.name}`;
  pods.set(key, projected);
  return [...index.pod(key, projected)].sort();
}

function drop(name: string): string[] {
  pods.delete(`ns1/${name}`);
  return [...index.pod(`ns1/${name}`, undefined)].sort();
}

const count = (name = "mesh") => {
  const { later, older, fresh } = index.of(name);
  return { later, older, fresh: fresh.map((one) => one.name) };
};
const tell = () => index.reported("mesh", index.of("mesh").fresh);
const NOBODY = { later: 0, older: 0, fresh: [] };

describe("a pod without sidecars", () => {
  test("is found at its first event, told of once, and no event of it says anything new", () => {
    expect(put(bare("web-0"))).toEqual(["mesh"]);
    expect(count()).toEqual({ later: 1, older: 0, fresh: ["web-0"] });
    expect(index.of("mesh").only).toBe("web-0");
    tell();
    expect(put({ ...bare("web-0"), status: { phase: "Running" } })).toEqual([]);
    expect(count()).toEqual({ later: 1, older: 0, fresh: [] });
  });

  test("that is found while others are told of is told of next", () => {
    put(bare("web-0"));
    put(bare("web-1"));
    const { fresh } = index.of("mesh");
    put(bare("web-2"));
    const { metadata } = bare("web-1");
    put({ ...bare("web-1"), metadata: { ...metadata, uid: "another" } });
    index.reported("mesh", fresh);
    expect(count()).toEqual({ later: 3, older: 0, fresh: ["web-1", "web-2"] });
  });

  test("is forgotten when it is deleted, finished or being deleted; one of the same name is another pod", () => {
    put(bare("web-0"));
    tell();
    const { metadata } = bare("web-0");
    expect(put({ ...bare("web-0"), metadata: { ...metadata, uid: "another" } })).toEqual(["mesh"]);
    expect(count()).toEqual({ later: 1, older: 0, fresh: ["web-0"] });
    expect(drop("web-0")).toEqual(["mesh"]);
    put(bare("web-0"));
    put({ ...bare("web-0"), metadata: { ...metadata, deletionTimestamp: CREATED } });
    expect(count()).toEqual(NOBODY);
    for (const phase of ["Succeeded", "Failed"] as const) {
      put(bare("web-0"));
      put(bare("web-0", { status: { phase } }));
      expect(count()).toEqual(NOBODY);
    }
  });

  test("that is older than the SidecarSet is counted apart, and is no news; nor is one of the same second", () => {
    put(bare("web-0", { created: BEFORE }));
    put(bare("web-1", { created: CREATED }));
    expect(count()).toEqual({ later: 0, older: 2, fresh: [] });
  });

  test("is older than a SidecarSet that was deleted and created again since then", () => {
    put(bare("web-0"));
    const again = set("mesh", {}, { uid: "again", creationTimestamp: "2030-01-01T00:00:00Z" });
    expect([...index.sidecarSet("mesh", again)]).toEqual(["mesh"]);
    expect(count()).toEqual({ later: 0, older: 1, fresh: [] });
  });

  test("counts for no SidecarSet that would not have injected it", () => {
    build([
      set("paused", { injectionStrategy: { paused: true } }),
      set("other", { selector: { matchLabels: { app: "db" } } }),
      set("everything", { selector: {} }),
      set("nothing", { containers: [] }),
      set("elsewhere", { namespaceSelector: { matchLabels: { team: "shop" } } }),
    ]);
    expect(put(bare("web-0"))).toEqual([]);
  });

  test("counts for a canary and not for its base, until the canary is none any more", () => {
    const canary = set("canary", {}, { annotations: { [CANARY_ANNOTATION]: "true", [BASE_ANNOTATION]: "mesh" } });
    build([set(), canary]);
    expect(put(bare("web-0"))).toEqual(["canary"]);
    const { annotations: _, ...metadata } = canary.metadata;
    expect([...index.sidecarSet("canary", { ...canary, metadata })].sort()).toEqual(["mesh"]);
    expect([count("canary").later, count("mesh").later]).toEqual([1, 1]);
  });

  test("is no concern where admission is not asked: excluded by labels or namespace, or a static pod's mirror", () => {
    build([set()], {
      isInjectable: ({ namespace, labels }, own) => namespace !== "sys" && labels["no"] === undefined && !own["no"],
    });
    expect(put(bare("web-0", { labels: { app: "web", no: "1" } }))).toEqual([]);
    const mirror = bare("web-1");
    expect(
      put({ ...mirror, metadata: { ...mirror.metadata, annotations: { "kubernetes.io/config.mirror": "x" } } }),
    ).toEqual([]);
    expect(put(bare("web-2"))).toEqual(["mesh"]);
    namespaces.set("ns1", { no: "1" });
    expect([...index.namespace("ns1")]).toEqual(["mesh"]);
    expect(count()).toEqual(NOBODY);
  });
});

describe("an injected pod", () => {
  test("counts for no SidecarSet that it carries, by list or hash, and for others that select it", () => {
    build([set(), set("log")]);
    expect(put(injectedPod(sidecarSet()))).toEqual(["log"]);
    const listed = injectedPod(sidecarSet());
    const { "kruise.io/sidecarset-injected-list": _, ...annotations } = listed.metadata.annotations ?? {};
    put({ ...listed, metadata: { ...listed.metadata, annotations } });
    expect(count()).toEqual(NOBODY);
  });
});

describe("changes", () => {
  test("of a selector find and forget pods", () => {
    put(bare("web-0"));
    put(bare("db-0", { labels: { app: "db" } }));
    const db = newer(set("mesh", { selector: { matchLabels: { app: "db" } } }));
    expect([...index.sidecarSet("mesh", db)]).toEqual(["mesh"]);
    expect(index.of("mesh")).toMatchObject({ later: 1, only: "db-0" });
    expect([...index.sidecarSet("mesh", undefined)]).toEqual(["mesh"]);
    expect(count()).toEqual(NOBODY);
  });

  test("of the status alone are no change", () => {
    put(bare("web-0"));
    const status = { matchedPods: 1, updatedPods: 1, readyPods: 1 };
    expect([...index.sidecarSet("mesh", { ...set(), status })]).toEqual([]);
  });

  test("of a pod's labels move it", () => {
    put(bare("web-0"));
    expect(put(bare("web-0", { labels: { app: "db" } }))).toEqual(["mesh"]);
    expect(count()).toEqual(NOBODY);
    expect(put(bare("web-0"))).toEqual(["mesh"]);
  });

  test("of a namespace's labels find pods, and pods of a namespace that is not known yet wait for it", () => {
    namespaces.delete("ns1");
    build([set("shop", { namespaceSelector: { matchLabels: { team: "shop" } } }), set()]);
    expect(put(bare("web-0"))).toEqual([]);
    namespaces.set("ns1", {});
    expect([...index.namespace("ns1")]).toEqual(["mesh"]);
    namespaces.set("ns1", { team: "shop" });
    expect([...index.namespace("ns1")]).toEqual(["shop"]);
  });
});

test("an event of a pod looks nothing up that its labels have told already, however many pods and SidecarSets there are", () => {
  let lookups = 0;
  const isInjectable = (): boolean => ++lookups > 0;
  const many = Array.from({ length: 50 }, (_, i) => set(`s${i}`, { selector: { matchLabels: { app: `app-${i}` } } }));
  build(many, { isInjectable });
  for (let i = 0; i < 1000; i++) put(bare(`web-${i}`, { labels: { app: `app-${i % 10}` } }));
  expect(lookups).toBe(10);
  for (let i = 0; i < 1000; i++) put(bare(`web-${i}`, { labels: { app: `app-${i % 10}` } }));
  expect(lookups).toBe(10);
});
