// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import type { Pod } from "@hot/spec";
import { expect, test } from "vitest";
import { applyPatch, injectPod, isInjected } from "../../packages/inject/src/index.ts";
import { NOW, circumstances, type InjectCase } from "./compare/inject.ts";
import { parseCases } from "./corpus-case.ts";

/** The pods of the corpus that Kruise injects, here used for what must hold whatever the expected pod is. */
const cases = parseCases<InjectCase>(readFileSync(new URL("corpus/inject.jsonl", import.meta.url), "utf8")).filter(
  ({ expected, quirk }) => expected.pod !== undefined && quirk === undefined,
);

const LATER = "2026-05-06T07:08:09Z";

test.each(cases)("$name: the patch leads to the pod, and a second injection changes nothing", (one) => {
  const { pod } = one.input;
  const once = injectPod({ ...circumstances(one), pod, now: NOW });
  expect(applyPatch(pod, once.patch)).toEqual(once.pod);
  expect(injectPod({ ...circumstances(one), pod: once.pod, now: LATER }).patch).toEqual([]);
});

test.each(cases)("$name: the app's containers and volumes stay as they are, and the input too", (one) => {
  const { pod } = one.input;
  const before = structuredClone(pod);
  const { spec } = injectPod({ ...circumstances(one), pod, now: NOW }).pod;
  expect(pod).toEqual(before);
  const own = before.spec.containers.filter((container) => !isInjected(container));
  expect(spec.containers).toEqual(expect.arrayContaining(own));
  expect(spec.initContainers ?? []).toEqual(expect.arrayContaining(before.spec.initContainers ?? []));
  expect(spec.volumes ?? []).toEqual(expect.arrayContaining(before.spec.volumes ?? []));
});

test.each(cases.filter(({ expected }) => expected.skip === false))(
  "$name: a pod that Kruise has injected already is left alone",
  (one) => {
    const pod = one.expected.pod as Pod;
    expect(injectPod({ ...circumstances(one), pod, now: LATER }).patch).toEqual([]);
  },
);
