// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Pod, SidecarSet } from "@hot/spec";
import { injectPod, type InjectionReport, type JsonPatchOperation } from "../../src/index.ts";
import { NOW } from "../pod-builder.ts";

/** What a case says has to come out. */
export interface Expected {
  pod: Pod;
  report: InjectionReport;
}

/** Folders with cases, see README.md. */
export function caseNames(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
}

/** The input of a case and what injection makes of it, through JSON text. */
export function runCase(folder: string, name: string): { input: Pod; actual: Expected; patch: JsonPatchOperation[] } {
  const input = read(folder, name, "pod") as Pod;
  const { pod, patch, report } = injectPod({
    pod: input,
    namespace: { name: "shop", labels: { team: "shop" } },
    sidecarSets: read(folder, name, "sidecarsets") as SidecarSet[],
    now: NOW,
  });
  return { input, actual: JSON.parse(JSON.stringify({ pod, report })) as Expected, patch };
}

/** Undefined: it is still to be written. */
export function expectedOf(folder: string, name: string): unknown {
  return existsSync(file(folder, name, "expected")) ? read(folder, name, "expected") : undefined;
}

/** Whether what is expected is what comes out. */
export function isAsExpected(folder: string, name: string): boolean {
  return isDeepStrictEqual(runCase(folder, name).actual, expectedOf(folder, name));
}

/** Writes down what comes out as what is expected; gives the path of the file. */
export function accept(folder: string, name: string): string {
  const path = file(folder, name, "expected");
  writeFileSync(path, `${JSON.stringify(runCase(folder, name).actual, null, 2)}\n`);
  return path;
}

function file(folder: string, name: string, part: string): string {
  return join(folder, name, `${part}.json`);
}

function read(folder: string, name: string, part: string): unknown {
  return JSON.parse(readFileSync(file(folder, name, part), "utf8"));
}
