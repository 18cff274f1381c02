// SPDX-License-Identifier: Apache-2.0

/** What becomes of a container that gets an image, by its tag. */
export type Fate = "runs" | "nopull" | "badhook" | "hang" | "crash";

const FATES = new Set<string>(["nopull", "badhook", "hang", "crash"]);

export function fateOf(image: string): Fate {
  const tag = image.slice(image.indexOf(":") + 1).replace(/-.*/, "");
  return FATES.has(tag) ? (tag as Fate) : "runs";
}

/** Empty images are `e:1`, `e:2`, …: the simulation knows who is who, whatever SidecarSets and records say. */
export function isEmptyImage(image: string): boolean {
  return image.startsWith("e:");
}

export function digestOf(image: string): string {
  return `sha256:${image}`;
}
