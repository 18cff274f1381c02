// SPDX-License-Identifier: Apache-2.0
import { VERSION_ANNOTATION_PREFIX, type Pod } from "@hot/spec";
import { expect, test } from "vitest";
import { servingSide, settledOn } from "../src/settled.ts";

/** A pod whose `x-1` serves v1 and whose `x-2` is empty. */
function pod(change: (pod: Pod) => void = () => undefined): Pod {
  const images = { "x-1": "v1", "x-2": "empty" };
  const result: Pod = {
    metadata: { annotations: { [`${VERSION_ANNOTATION_PREFIX}x-1`]: "1", [`${VERSION_ANNOTATION_PREFIX}x-2`]: "0" } },
    spec: { containers: Object.entries(images).map(([name, image]) => ({ name, image })) },
    status: {
      containerStatuses: Object.entries(images).map(([name, image]) => ({
        name,
        image,
        imageID: image,
        ready: true,
        restartCount: 0,
      })),
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
  change(result);
  return result;
}

test("a settled pod", () => {
  expect(servingSide(pod(), "x")).toBe("x-1");
  expect(settledOn(pod(), "x", "v1")).toBe(true);
});

test.each<[string, (pod: Pod) => void]>([
  [
    "upgrading: no side is version 0",
    ({ metadata }) => (metadata.annotations![`${VERSION_ANNOTATION_PREFIX}x-2`] = "5"),
  ],
  ["the old image serves", ({ spec }) => (spec.containers[0]!.image = "v0")],
  ["the kubelet still reports the old image", ({ status }) => (status!.containerStatuses![0]!.image = "v0")],
  ["the empty side is not there yet", ({ status }) => (status!.containerStatuses![1]!.image = "v0")],
  ["a side is not ready", ({ status }) => (status!.containerStatuses![1]!.ready = false)],
  ["the pod is not ready", ({ status }) => (status!.conditions![0]!.status = "False")],
])("not settled: %s", (_, change) => {
  expect(settledOn(pod(change), "x", "v1")).toBe(false);
});
