// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { Pod, SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { applyPatch, injectPod } from "@hot/inject";
import { NOW } from "../pod-builder.ts";

/** See README.md in this folder for what a case is and how to change one. */
const FOLDER = new URL(".", import.meta.url);
const cases = readdirSync(FOLDER, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

function file(name: string, part: string): URL {
  return new URL(`${name}/${part}.json`, FOLDER);
}

function read(name: string, part: string): unknown {
  return JSON.parse(readFileSync(file(name, part), "utf8"));
}

test.each(cases)("%s", (name) => {
  const input = read(name, "pod") as Pod;
  const { pod, patch, report } = injectPod({
    pod: input,
    namespace: { name: "shop", labels: { team: "shop" } },
    sidecarSets: read(name, "sidecarsets") as SidecarSet[],
    now: NOW,
  });
  const isWanted = process.env["UPDATE_GOLDEN"] === "1";
  if (
    isWanted &&
    (!existsSync(file(name, "expected")) || !isDeepStrictEqual({ pod, report }, read(name, "expected")))
  ) {
    writeFileSync(file(name, "expected"), `${JSON.stringify({ pod, report }, null, 2)}\n`);
  }
  expect({ pod, report }).toEqual(read(name, "expected"));
  expect(applyPatch(input, patch)).toEqual(pod);
});
