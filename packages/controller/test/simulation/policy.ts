// SPDX-License-Identifier: Apache-2.0
import { RETRY_ANNOTATION, type Container, type Pod } from "@hot/spec";
import type { PolicyWish } from "./admission.ts";
import { refuse } from "./api-server.ts";
import type { PatchCall } from "./connection.ts";
import { isEmptyImage } from "./images.ts";
import type { Replica } from "./replica.ts";
import type { World } from "./world.ts";

/** What is refused is tried again after a minute. In milliseconds. */
const AGAIN = 60_000;
/** Within this time whoever tries again has done so, in milliseconds: the minute, and what calls and other pods take. */
const TRIED = AGAIN + 30_000;

const MESSAGE = "no changes on Fridays";

/**
 * An admission policy of somebody else, which lets users and Kruise do what it refuses the controller. I14: what was
 * refused is not sent again within a minute, unless the pod or the wish has changed meanwhile.
 */
export class Policy {
  isOn = false;
  readonly #world: World;
  readonly #wish: PolicyWish;
  /** Write, state of the pod and wishes → when it was refused. */
  readonly #sent = new Map<string, number[]>();
  /** Pod → its state, and when a write of that was last refused. */
  readonly #refused = new Map<string, { readonly version: string; readonly at: number }>();

  constructor(world: World, wish: PolicyWish) {
    this.#world = world;
    this.#wish = wish;
  }

  /** Looks at a patch that is being sent; what it returns is called when it has arrived. */
  inspect(replica: Replica, call: PatchCall, sidecarSets: readonly string[]): () => void {
    if (!this.#isAbout(call)) return () => undefined;
    const { key, body, subresource = "" } = call;
    const { metadata, spec } = body as Partial<Pod>;
    const version = metadata?.resourceVersion ?? "";
    const wishes = sidecarSets.map((name) => {
      const isGone = replica.sidecarSets.store.get(name) === undefined;
      const { uid, generation, annotations } = replica.knownSidecarSet(name)?.metadata ?? {};
      return [isGone, uid, generation, annotations?.[RETRY_ANNOTATION]];
    });
    const what = [Object.keys(metadata?.annotations ?? {}), spec?.containers.map(({ name }) => name), subresource];
    const attempt = JSON.stringify([replica.name, key, version, what, wishes]);
    const { scheduler } = this.#world;
    const recent = (this.#sent.get(attempt) ?? []).filter((at) => scheduler.now - at < AGAIN);
    // What differs between two SidecarSets may not show in the names, one plan may be of the wish before, and with lists
    // that go back in time the wish itself comes and goes.
    if (recent.length > sidecarSets.length && !this.#world.hasStaleLists)
      this.#world.violate(`I14: ${key} is written again ${scheduler.now - recent.at(-1)!} ms after that was refused`);
    return () => {
      if (!this.isOn) return;
      this.#sent.set(attempt, [...recent, scheduler.now]);
      this.#refused.set(key, { version, at: scheduler.now });
      refuse(`patch pods ${key}`, this.#wish.status, MESSAGE);
    };
  }

  /** A write of the pod as it is, or as it was if it changes by itself, was refused, and it is tried again and again. */
  holds({ metadata }: Pod, isChanging: boolean): boolean {
    const found = this.#refused.get(`${metadata.namespace}/${metadata.name}`);
    const isTried = found !== undefined && this.#world.scheduler.now - found.at <= TRIED;
    return this.isOn && isTried && (isChanging || found.version === metadata.resourceVersion);
  }

  #isAbout({ plural, key, body, subresource }: PatchCall): boolean {
    if (plural !== "pods" || !this.#wish.pods.has(key.slice("ns1/".length))) return false;
    const containers: readonly Container[] = (body as Partial<Pod>).spec?.containers ?? [];
    const has = (isEmpty: boolean): boolean => containers.some(({ image = "" }) => isEmptyImage(image) === isEmpty);
    const isAbout: Record<PolicyWish["kind"], boolean> = {
      every: true,
      start: has(false),
      empty: has(true),
      annotation: subresource === undefined && containers.length === 0,
      condition: subresource === "status",
    };
    return isAbout[this.#wish.kind];
  }
}
