// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { applyPatch, injectPod } from "@hot/inject";
import { compareCase, NOW, parseCases } from "./check-case.ts";

/** Cases whose expected pod was made by OpenKruise; the whole corpus runs in test/conformance. */
const cases = parseCases(readFileSync(new URL("inject.jsonl", import.meta.url), "utf8"));

test.each(cases)("$name", (corpusCase) => {
  const { actual, wanted } = compareCase(corpusCase);
  expect(actual).toEqual(wanted);
});

test.each(cases)("$name: the patch leads to the pod, and a second injection changes nothing", ({ input }) => {
  const { pod, namespace, gates, sidecarSets } = input;
  const options = {
    sidecarSets,
    namespace: namespace && { ...namespace.metadata },
    sortContainersByName: gates?.EnableSortSidecarContainerByName ?? false,
  };
  const once = injectPod({ ...options, pod, now: NOW });
  expect(applyPatch(pod, once.patch)).toEqual(once.pod);
  expect(injectPod({ ...options, pod: once.pod, now: "2026-05-06T07:08:09Z" }).patch).toEqual([]);
});
