// SPDX-License-Identifier: Apache-2.0
import type { ContainerStatus, Pod } from "@hot/spec";
import { describe, expect, test } from "vitest";
import { projectPod, viewSidecarSet } from "../../src/index.ts";
import { EMPTY, injectedPod, sidecarSet, T0 } from "../support/builders.ts";
import { carriedOut } from "../support/kubelet.ts";
import { after, planFor, upgrading, verdict } from "../support/planning.ts";

const v1 = sidecarSet({ image: "x:1", generation: 1, resourceVersion: "4000" });
const v2 = sidecarSet({ image: "x:2" });
const v3 = sidecarSet({ image: "x:3", generation: 3, resourceVersion: "6000" });
const back = sidecarSet({ image: "x:1", generation: 3, resourceVersion: "7000" });
const cold = (image: string) => sidecarSet({ containers: [{ name: "c", image }] });

/** The runtime names each image by another tag of its digest. */
function renamed(pod: Pod, digestOf: (one: ContainerStatus) => string = (one) => one.imageID): Pod {
  const containerStatuses = pod.status?.containerStatuses?.map((one) =>
    Object.assign({}, one, { image: `docker.io/library/other-${one.name}:9`, imageID: digestOf(one) }),
  );
  return { ...pod, status: { ...pod.status, ...(containerStatuses && { containerStatuses }) } };
}

const change = (pod: Pod, name: string, status: Partial<ContainerStatus>): Pod => ({
  ...pod,
  status: {
    ...pod.status,
    containerStatuses: (pod.status?.containerStatuses ?? []).map((one) =>
      one.name === name ? Object.assign({}, one, status) : one,
    ),
  },
});

const written = (pod: Pod, set = v2): Pod => after(pod, planFor([pod], set).writes[0]?.write);
/** Carried out by the kubelet, which knows the images by their own names, and then reported by others. */
const carried = (pod: Pod): Pod => renamed(carriedOut(ownNames(pod)) ?? pod);
const ownNames = (pod: Pod): Pod => ({
  ...pod,
  status: {
    ...pod.status,
    containerStatuses: (pod.status?.containerStatuses ?? []).map((one) =>
      Object.assign({}, one, { image: one.imageID.replace("sha256:", "") }),
    ),
  },
});

const calm = renamed(injectedPod(v1));
const begun = upgrading(calm, v2);
const taken = carried(begun);

describe("a runtime that reports another tag of the digest", () => {
  test("an upgrade, its reset, and the next upgrade", () => {
    expect(verdict(planFor([calm], v1))).toBe("UpToDate");
    expect(verdict(planFor([begun], v2))).toBe("Upgrading");
    expect(verdict(planFor([taken], v2))).toBe("RESET");
    const reset = written(taken);
    expect(verdict(planFor([reset], v2))).toBe("Resetting");
    const done = planFor([carried(reset)], v2);
    expect(verdict(done)).toBe("UpToDate");
    expect(done.status).toMatchObject({ updatedPods: 1, readyPods: 1, updatedReadyPods: 1 });
    expect(verdict(planFor([carried(reset)], v3))).toBe("UPGRADE");
  });

  test("a rollback in mid-upgrade, then another upgrade", () => {
    expect(verdict(planFor([begun], back))).toBe("ABORT");
    const aborted = carried(written(begun, back));
    expect(planFor([aborted], back)).toMatchObject({ writes: [], status: { readyPods: 1 } });
    expect(verdict(planFor([aborted], sidecarSet({ image: "x:3", generation: 4, resourceVersion: "9000" })))).toBe(
      "UPGRADE",
    );
  });

  test("a crash of the new side is recognised", () => {
    const { containerID = "" } = taken.status?.containerStatuses?.find((one) => one.name === "x-2") ?? {};
    const crashed = change(taken, "x-2", {
      ready: false,
      state: { terminated: { exitCode: 3, containerID } },
    });
    expect(planFor([crashed], v2).writes[0]?.events[0]?.message).toContain("NewSideCrashed");
  });

  test("the view shows both sides as they are", () => {
    const seen = viewSidecarSet({
      name: "mesh",
      sidecarSet: v2,
      pods: [projectPod(taken)],
      namespaces: () => ({}),
      now: T0,
    });
    expect(seen.pods[0]?.pairs[0]?.sides.map((one) => one.observed)).toEqual(["ready", "ready"]);
  });

  test("a new side that is not ready is migrating, not upgrading", () => {
    expect(verdict(planFor([change(taken, "x-2", { ready: false })], v2))).toBe("Migrating");
  });
});

describe("no receipt from a name that is not the image's", () => {
  test.each<[string, Partial<ContainerStatus>]>([
    ["the container of before the write", { containerID: "c://x-2-e:1-1" }],
    ["no container", { containerID: "" }],
    ["the empty image again, restarted", { imageID: `sha256:${EMPTY}` }],
    ["no imageID", { imageID: "" }],
    ["the empty image, whose tag has moved", { image: `docker.io/library/${EMPTY}`, imageID: "sha256:new" }],
    ["not ready", { ready: false }],
  ])("%s", (_, status) => {
    expect(verdict(planFor([change(taken, "x-2", status)], v2))).toMatch(/^(Upgrading|Migrating)$/);
  });

  test("a kubelet that has not seen the write, or does not say", () => {
    const seen = (observedGeneration: number | undefined): Pod => {
      const { observedGeneration: _, ...rest } = taken.status ?? {};
      return { ...taken, status: { ...rest, ...(observedGeneration !== undefined && { observedGeneration }) } };
    };
    expect(verdict(planFor([seen(1)], v2))).toBe("Upgrading");
    expect(verdict(planFor([seen(undefined)], v2))).toBe("Upgrading");
  });

  test("a pod from before generations were counted: its first change makes generation 1", () => {
    const record = JSON.parse(begun.metadata.annotations?.["upgrade.hot.internal/x"] ?? "") as object;
    const text = JSON.stringify({ ...record, generation: 0 });
    const annotations = { ...begun.metadata.annotations, "upgrade.hot.internal/x": text };
    const pod = { ...begun, metadata: { ...begun.metadata, generation: 1, annotations } };
    // The empty container of before was restarted, and the new image is still being pulled.
    expect(verdict(planFor([change(pod, "x-2", { containerID: "c://restarted" })], v2))).toBe("Upgrading");
    const { "upgrade.hot.internal/x": _, ...others } = annotations;
    const kruise = { ...pod, metadata: { ...pod.metadata, annotations: others } };
    const adopted = written(change(kruise, "x-2", { containerID: "c://restarted" }));
    expect(verdict(planFor([adopted], v2))).not.toBe("RESET");
  });

  test("an upgrade that was begun by somebody else", () => {
    const { "upgrade.hot.internal/x": _, ...annotations } = taken.metadata.annotations ?? {};
    const adopted = written({ ...taken, metadata: { ...taken.metadata, annotations } });
    expect(verdict(planFor([adopted], v2))).not.toBe("RESET");
  });
});

describe("cold containers", () => {
  const from = injectedPod(cold("c:1"));
  const sameDigest = (pod: Pod): Pod => renamed(pod, () => "sha256:c");
  const begun = written(sameDigest(from), cold("c:2"));

  test("two tags of one digest: another container is proof that the change was carried out", () => {
    expect(planFor([begun], cold("c:2")).status?.readyPods).toBe(0);
    const seen = { ...begun, status: { ...begun.status, observedGeneration: 2 } };
    expect(planFor([seen], cold("c:2")).status?.readyPods).toBe(0);
    expect(planFor([change(seen, "c", { containerID: "c://new" })], cold("c:2")).status?.readyPods).toBe(1);
  });
});
