// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import type { Pod } from "@hot/spec";
import { expect, test } from "vitest";
import { applyPatch, injectPod, isInjected, type InjectPodInput } from "@hot/inject";
import { compareCase, NOW, parseCases, type CorpusCase } from "./check-case.ts";

/** Cases whose expected pod was made by OpenKruise; the whole corpus runs in test/conformance. */
const cases = parseCases(readFileSync(new URL("inject.jsonl", import.meta.url), "utf8"));

test.each(cases)("$name", (corpusCase) => {
  const { actual, wanted } = compareCase(corpusCase);
  expect(actual).toEqual(wanted);
});

/** What injectPod gets for a case, whatever the pod. */
function options({ input }: CorpusCase): Omit<InjectPodInput, "pod" | "now"> {
  const { namespace, gates, sidecarSets } = input;
  return {
    sidecarSets,
    namespace: namespace && { ...namespace.metadata },
    sortContainersByName: gates?.EnableSortSidecarContainerByName ?? false,
  };
}

const LATER = "2026-05-06T07:08:09Z";

test.each(cases)("$name: the patch leads to the pod, and a second injection changes nothing", (corpusCase) => {
  const { pod } = corpusCase.input;
  const once = injectPod({ ...options(corpusCase), pod, now: NOW });
  expect(applyPatch(pod, once.patch)).toEqual(once.pod);
  expect(injectPod({ ...options(corpusCase), pod: once.pod, now: LATER }).patch).toEqual([]);
});

test.each(cases)("$name: the app's containers and volumes stay as they are, and the input too", (corpusCase) => {
  const { pod } = corpusCase.input;
  const before = structuredClone(pod);
  const { spec } = injectPod({ ...options(corpusCase), pod, now: NOW }).pod;
  expect(pod).toEqual(before);
  expect(spec.containers).toEqual(expect.arrayContaining(before.spec.containers.filter((one) => !isInjected(one))));
  expect(spec.initContainers ?? []).toEqual(expect.arrayContaining(before.spec.initContainers ?? []));
  expect(spec.volumes ?? []).toEqual(expect.arrayContaining(before.spec.volumes ?? []));
});

test.each(cases.filter(({ expected }) => expected.skip === false))(
  "$name: a pod that Kruise has injected already is left alone",
  (corpusCase) => {
    const pod = corpusCase.expected.pod as Pod;
    expect(injectPod({ ...options(corpusCase), pod, now: LATER }).patch).toEqual([]);
  },
);
