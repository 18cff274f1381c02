// SPDX-License-Identifier: Apache-2.0
import type { Container, Pod } from "@hot/spec";
import type { MirrorWish } from "./admission.ts";
import { isEmptyImage, mirrored } from "./images.ts";

/**
 * The webhook that puts a registry mirror before images. Of a pod that exists it rewrites what a write changes, and
 * nothing else: a webhook that rewrote what runs would restart it, and nobody could help that.
 */
export class Mirror {
  isOn = false;
  readonly #wish: MirrorWish;

  constructor(wish: MirrorWish) {
    this.#wish = wish;
  }

  /** A pod that is created, with what is reported of it. */
  created(pod: Pod): Pod {
    if (!this.isOn || this.#wish.at === "update") return pod;
    const containers = pod.spec.containers.map((one) => ({ ...one, image: this.#rewritten(one.image) }));
    const statuses = pod.status?.containerStatuses?.map((one) => ({ ...one, image: this.#rewritten(one.image) }));
    const status = { ...pod.status, ...(statuses && { containerStatuses: statuses }) };
    return { ...pod, spec: { ...pod.spec, containers }, status };
  }

  /** What becomes of a write. What stays as it was stays the same object. */
  updated(before: Pod, wished: Pod): Pod {
    if (!this.isOn || this.#wish.at === "create" || wished.spec === before.spec) return wished;
    const containers = wished.spec.containers.map((one): Container => {
      const was = before.spec.containers.find(({ name }) => name === one.name);
      if (was === undefined || was.image === one.image) return one;
      const image = this.#rewritten(one.image);
      return image === was.image ? was : { ...one, image };
    });
    const isSame = containers.every((one) => before.spec.containers.includes(one));
    return { ...wished, spec: isSame ? before.spec : { ...wished.spec, containers } };
  }

  #rewritten(image = ""): string {
    return isEmptyImage(image) && !this.#wish.empties ? image : mirrored(image);
  }
}
