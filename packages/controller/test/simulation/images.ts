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
  return originOf(image).startsWith("e:");
}

/** A mirror has the very same image. */
export function digestOf(image: string): string {
  return `sha256:${originOf(image)}`;
}

const MIRROR = "mirror/";

export function mirrored(image: string): string {
  return MIRROR + originOf(image);
}

/** What was asked for, where a webhook has put a mirror before it. */
export function originOf(image: string): string {
  return image.startsWith(MIRROR) ? image.slice(MIRROR.length) : image;
}
