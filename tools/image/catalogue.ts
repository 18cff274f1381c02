// SPDX-License-Identifier: Apache-2.0
// Which images there are, which layers they have and how they start. Everything that a person may want to change.
import { NODE } from "./base-layer.ts";
import type { ImageConfig } from "./oci.ts";

/** `standby`: hot-standby alone. The others are the layers of one application each, on Node. */
export type LayerName = "standby" | "node" | "sidecar-demo" | "demo-app" | "webhook" | "pause" | "migrate-script";

export interface ImageSpec {
  /** Without registry host, with tag. */
  readonly name: string;
  readonly layers: readonly LayerName[];
  readonly config: ImageConfig;
}

const HOT_STANDBY = "/hot-standby";
const ARTICLE = "openkruise/hotupgrade-sample";
const versions = ["v1", "v2", "v3"];

function sidecarDemo(tag: string, env: Readonly<Record<string, string>> = {}): ImageSpec {
  return {
    name: `hot/sidecar-demo:${tag}`,
    // hook and probe belong to the container, not to the image: hot-standby is at the same path in both images
    layers: ["node", "standby", "sidecar-demo"],
    config: { entrypoint: [NODE, "/app/main.js"], env: { DEMO_VERSION: tag, ...env }, ports: [9091] },
  };
}

function standby(tag: string): ImageSpec {
  return { name: `hot/standby:${tag}`, layers: ["standby"], config: { entrypoint: [HOT_STANDBY, "pause"] } };
}

/** All images; `version` is the tag of the webhook. */
export function catalogue(version: string): ImageSpec[] {
  return [
    {
      name: `hot/webhook:${version}`,
      layers: ["node", "webhook"],
      config: { entrypoint: [NODE, "/app/main.js"], ports: [9443, 8081] },
    },
    ...versions.map((tag) => sidecarDemo(tag)),
    sidecarDemo("broken", { DEMO_CRASH: "1" }),
    // Takes over, then dies.
    sidecarDemo("crash-later", { DEMO_CRASH_AFTER_SECONDS: "2" }),
    // Lives, but never answers the hook: what a version looks like that hangs before its takeover.
    { ...sidecarDemo("hang"), config: { entrypoint: [HOT_STANDBY, "pause"], env: { DEMO_VERSION: "hang" } } },
    ...["v1", "v2"].map((tag) => standby(tag)),
    {
      name: "hot/demo-app:v1",
      layers: ["node", "demo-app"],
      config: { entrypoint: [NODE, "/app/main.js"], ports: [8080] },
    },
    // The images of Kruise's own example, whose hook is a script.
    { ...standby("v1"), name: `${ARTICLE}:empty`, layers: ["standby", "migrate-script"] },
    ...versions.map((tag) => ({
      ...sidecarDemo(tag),
      name: `${ARTICLE}:sidecar${tag}`,
      layers: ["node", "standby", "sidecar-demo", "migrate-script"] as const,
    })),
    { name: "pause:1", layers: ["pause"], config: { entrypoint: [HOT_STANDBY, "pause"] } },
  ];
}

/**
 * The full names of an image; the first is the one that is shown. A name without host, as the samples have it, means
 * docker.io to a container runtime.
 */
export function fullNames(name: string): string[] {
  if (name.startsWith("hot/")) return [`localhost/${name}`, `docker.io/${name}`];
  return [name.startsWith(ARTICLE) ? `docker.io/${name}` : `localhost/${name}`];
}

/**
 * The images that these words mean: `webhook`, `hot/webhook`, `sidecar-demo:v1`, with or without host. No word: all.
 *
 * @throws Error that names the word which means nothing, and what there is.
 */
export function select(specs: readonly ImageSpec[], words: readonly string[]): ImageSpec[] {
  const unknown = words.find((word) => !specs.some(({ name }) => namesOf(name).has(word)));
  if (unknown !== undefined) {
    throw new Error(`there is no image ${unknown}; there are ${specs.map(({ name }) => name).join(", ")}`);
  }
  return specs.filter(({ name }) => words.length === 0 || words.some((word) => namesOf(name).has(word)));
}

function namesOf(name: string): Set<string> {
  const withTag = [...fullNames(name), name, name.replace(/^hot\//, "")];
  return new Set([...withTag, ...withTag.map((one) => one.slice(0, one.lastIndexOf(":")))]);
}
