// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, type ControllerRevision, type SidecarSet, type UpdateStrategy } from "@hot/spec";
import { describe, expect, it } from "vitest";
import { injectPod, parseHashes } from "../src/index.ts";

const revision = (name: string, number: number, owner = "s"): ControllerRevision => ({
  metadata: {
    name,
    labels: { "kruise.io/sidecarset-name": owner, "apps.kruise.io/sidecarset-custom-version": "v1" },
    annotations: { "kruise.io/sidecarset-hash": `hash-${name}`, "kruise.io/sidecarset-hash-without-image": "same" },
  },
  revision: number,
  data: { spec: { $patch: "replace", containers: [{ name: "c", image: `c:${name}` }], volumes: null } },
});
/** Of `r1b` and `r2` the history keeps `r2`, as two leaders have given one number. */
const revisions = [revision("r1", 1), revision("r1b", 2), revision("r2", 2), revision("foreign", 3, "other")];

function inject(
  wanted: NonNullable<NonNullable<SidecarSet["spec"]["injectionStrategy"]>["revision"]>,
  {
    updateStrategy = {},
    random = 0,
    before,
  }: { updateStrategy?: UpdateStrategy; random?: number; before?: object } = {},
) {
  const sidecarSet: SidecarSet = {
    metadata: {
      name: "s",
      annotations: { "kruise.io/sidecarset-hash": "hash-live", "kruise.io/sidecarset-hash-without-image": "same" },
    },
    spec: {
      selector: { matchLabels: { app: "x" } },
      containers: [{ name: "c", image: "c:live" }],
      injectionStrategy: { revision: wanted },
      updateStrategy,
    },
  };
  const pod = {
    metadata: { name: "p", labels: { app: "x" }, ...(before && { annotations: before }) },
    spec: { containers: [{ name: "main", image: "main:1" }] },
  } as never;
  const now = "2026-01-02T03:04:05Z";
  const { pod: result, report } = injectPod({
    pod,
    namespace: { name: "d" },
    sidecarSets: [sidecarSet],
    revisions,
    random,
    now,
  });
  return { image: result.spec.containers[1]?.image, report, annotations: result.metadata.annotations ?? {} };
}

describe("the revision of spec.injectionStrategy", () => {
  it("is injected with its own hash and name, by name before custom version", () => {
    const { image, annotations } = inject({ revisionName: "r1", customVersion: "v1" });
    expect(image).toBe("c:r1");
    expect(parseHashes(annotations[HASH_ANNOTATION])?.["s"]).toMatchObject({
      hash: "hash-r1",
      controllerRevision: "r1",
    });
  });

  it("is the newest of a custom version", () => expect(inject({ customVersion: "v1" }).image).toBe("c:r2"));

  it.each([{ revisionName: "r9" }, { customVersion: "v9" }, { revisionName: "foreign" }])(
    "%o does not exist for this SidecarSet, so the pod is denied",
    (wanted) => expect(inject(wanted).report.denied).toMatchObject({ code: "HOT2104", reason: "BadRevision" }),
  );

  const partial = { revisionName: "r1", policy: "Partial" } as const;

  it.each([
    [{ partition: "30%" }, 0.29, "c:r1"],
    [{ partition: "30%" }, 0.3, "c:live"],
    [{ partition: "0%" }, 0, "c:live"],
    [{ partition: "100%" }, 0.999, "c:r1"],
    [{ partition: 5 }, 0, "c:live"],
    [{}, 0, "c:live"],
    [{ paused: true }, 0.9, "c:r1"],
    [{ selector: { matchLabels: { app: "y" } } }, 0.9, "c:r1"],
    [{ selector: { matchLabels: { app: "x" } } }, 0, "c:live"],
  ])("Partial, %o, random %d: %s", (updateStrategy, random, image) => {
    expect(inject(partial, { updateStrategy, random }).image).toBe(image);
  });

  it("is not chosen again when the pod carries a choice", () => {
    const updateStrategy = { partition: "50%" };
    for (const first of [0.1, 0.9]) {
      const { image, annotations } = inject(partial, { updateStrategy, random: first });
      const again = inject(partial, { updateStrategy, random: 1 - first, before: annotations });
      expect(again.image).toBe(image);
    }
  });

  it("has to be chosen by a percentage", () => {
    expect(inject(partial, { updateStrategy: { partition: "many" } }).report.denied?.code).toBe("HOT2104");
  });
});
