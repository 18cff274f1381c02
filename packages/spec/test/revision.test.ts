// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { newRevision, revisionData, revisionName, syncRevisions, type SidecarSet } from "../src/index.ts";

const sidecarSet: SidecarSet = {
  metadata: { name: "s", uid: "u" },
  spec: { containers: [{ name: "c", image: "c:1" }], revisionHistoryLimit: 1 },
};
const namespace = "hot-system";
const sync = (existing: Parameters<typeof syncRevisions>[0]["existing"], used: string[] = [], set = sidecarSet) =>
  syncRevisions({ sidecarSet: set, existing, usedByPods: new Set(used), namespace });

describe("revisions", () => {
  it("record the same text whatever the order of keys", () => {
    const turned = { spec: { containers: [{ image: "c:1", name: "c" }] } };
    expect(revisionData(turned)).toBe(revisionData(sidecarSet));
  });

  it("cut long names to 223 characters before the code", () => {
    expect(revisionName("x".repeat(253), "abc")).toBe(`${"x".repeat(223)}-abc`);
  });

  it("are settled after one step", () => {
    const { create } = sync([]);
    expect(create).toMatchObject({
      revision: 1,
      metadata: { namespace, labels: { "kruise.io/sidecarset-name": "s" } },
    });
    expect(sync([create!])).toEqual({ delete: [], latest: create!.metadata.name, collisionCount: 0 });
  });

  it("are deleted above the limit unless a pod uses them", () => {
    const first = newRevision(sidecarSet, { namespace, revision: 1, collisionCount: 0 });
    const changed = { ...sidecarSet, spec: { ...sidecarSet.spec, containers: [{ name: "c", image: "c:2" }] } };
    expect(sync([first], [], changed).delete).toEqual([first.metadata.name]);
    expect(sync([first], [first.metadata.name!], changed).delete).toEqual([]);
  });

  it.each(["c:1", "c:2"])("end with a number that only %s has, though two were created with the next one", (image) => {
    const of = (to: string) => ({
      ...sidecarSet,
      spec: { ...sidecarSet.spec, containers: [{ name: "c", image: to }] },
    });
    const numbered = (to: string, revision: number) => newRevision(of(to), { namespace, revision, collisionCount: 0 });
    const twice = [numbered("c:0", 1), numbered("c:1", 2), numbered("c:2", 2)];
    const { renumber, latest } = sync(twice, [], of(image));
    expect(renumber).toEqual({ name: latest, revision: 3 });
    const after = twice.map((one) => (one.metadata.name === latest ? { ...one, revision: 3 } : one));
    expect(sync(after, [], of(image)).renumber).toBeUndefined();
  });

  it("reuse an object of that name with equal data, and count on where the data differs", () => {
    const wanted = newRevision(sidecarSet, { namespace, revision: 1, collisionCount: 0 });
    const foreign = { ...wanted, metadata: { ...wanted.metadata, labels: {} } };
    expect(sync([foreign])).toEqual({ delete: [], latest: wanted.metadata.name, collisionCount: 0 });
    const other = sync([{ ...foreign, data: { spec: {} } }]);
    expect(other.collisionCount).toBe(1);
    expect(other.create?.metadata.name).toBe(other.latest);
    expect(other.latest).not.toBe(wanted.metadata.name);
  });
});
