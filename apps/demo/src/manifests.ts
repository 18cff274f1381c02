// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import type { SidecarSet } from "@hot/spec";
import { root } from "./images.ts";

/** The part of a Deployment that the demo reads. */
export interface Deployment {
  metadata: { name: string; namespace: string };
  spec: { replicas: number; selector: { matchLabels: Record<string, string> } };
}

async function sample<T>(...path: string[]): Promise<T> {
  return parse(await readFile(join(root, "samples", ...path), "utf8")) as T;
}

/** What a person would `kubectl apply -f samples/hotupgrade`. */
export async function samples(): Promise<{ sidecarSet: SidecarSet; deployment: Deployment }> {
  return {
    sidecarSet: await sample<SidecarSet>("hotupgrade", "1-sidecarset.yaml"),
    deployment: await sample<Deployment>("hotupgrade", "2-deployment.yaml"),
  };
}
