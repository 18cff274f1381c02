// SPDX-License-Identifier: Apache-2.0
import { findImage, type Catalogue, type Image } from "../catalogue.ts";
import { Backoff } from "./backoff.ts";
import { sleep, type Clock } from "@hot/kube";

const PULL_BACKOFF = { base: 10_000, max: 300_000 };

export type PullResult =
  | { image: Image }
  | { reason: "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull"; message: string };

/** Pulls images from the catalogue: what is there already is not pulled again, what fails is not tried too often. */
export class Images {
  readonly #catalogue: Catalogue;
  readonly #clock: Clock;
  readonly #present = new Set<string>();
  readonly #backoff = new Backoff(PULL_BACKOFF);

  constructor(catalogue: Catalogue, clock: Clock) {
    this.#catalogue = catalogue;
    this.#clock = clock;
  }

  async pull(uid: string, name: string, policy: string | undefined, signal: AbortSignal): Promise<PullResult> {
    const image = findImage(this.#catalogue, name);
    const always = (policy ?? (hasFixedTag(name) ? "IfNotPresent" : "Always")) === "Always";
    if (image !== undefined && this.#present.has(name) && !always) return { image };
    if (policy === "Never") {
      return {
        reason: "ErrImageNeverPull",
        message: `Container image "${name}" is not present with pull policy of Never`,
      };
    }
    const key = `${uid}_${name}`;
    if (this.#backoff.remainingSinceUpdate(key, this.#clock.now()) > 0) {
      return {
        reason: "ImagePullBackOff",
        message: `Back-off pulling image "${name}": ErrImagePull: ${this.#failure(name, image) ?? ""}`,
      };
    }
    const seconds = image?.entry.pull?.seconds ?? 0;
    if (seconds > 0) await sleep(this.#clock, seconds * 1000, signal);
    const failure = this.#failure(name, image);
    if (image === undefined || failure !== undefined) {
      const now = this.#clock.now();
      this.#backoff.next(key, now, now);
      return { reason: "ErrImagePull", message: `failed to pull image "${name}": ${failure}` };
    }
    this.#present.add(name);
    return { image };
  }

  forget(uid: string): void {
    this.#backoff.forget(`${uid}_`);
  }

  #failure(name: string, image: Image | undefined): string | undefined {
    if (image !== undefined) return image.entry.pull?.error;
    const known = Object.entries(this.#catalogue.images).flatMap(([first, { tags = [] }]) => [first, ...tags]);
    return `not found in the images catalogue, which has ${known.join(", ") || "no images"}; add "${name}" to it or correct the name`;
  }
}

/** A name without a tag means `latest`. */
function hasFixedTag(name: string): boolean {
  if (name.includes("@")) return true;
  const tag = /:([^:/]+)$/.exec(name)?.[1];
  return tag !== undefined && tag !== "latest";
}
