// SPDX-License-Identifier: Apache-2.0
import type { EventEmitter } from "node:events";
import type { HandoffEvents } from "./events.ts";
import { tell } from "./events.ts";
import type { Holdings } from "./holdings.ts";
import type { OldSide } from "./old-side.ts";

const LOOK_MS = 1_000;

/** What an owner keeps in order: that it can be found (R12), and that its listeners listen (K14). */
export class Upkeep {
  readonly #oldSide: OldSide;
  readonly #holdings: Holdings;
  readonly #events: EventEmitter<HandoffEvents>;
  readonly #isServing: () => boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(oldSide: OldSide, holdings: Holdings, events: EventEmitter<HandoffEvents>, isServing: () => boolean) {
    this.#oldSide = oldSide;
    this.#holdings = holdings;
    this.#events = events;
    this.#isServing = isServing;
  }

  begin(): void {
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Serving does not depend on it: without owner.sock nobody can take over until it is repaired. */
  publish(epoch: bigint): void {
    this.#try(() => this.#oldSide.publish(epoch));
    // What it had before it may have been lost in the meantime.
    this.#look();
  }

  #look(): void {
    if (!this.#isServing()) return;
    // What is being passed on must not change; the next look is early enough.
    const { isHanding } = this.#oldSide;
    this.#try(() => {
      if (!isHanding) this.#holdings.lineage = this.#holdings.lineage?.renewed() ?? null;
      this.#oldSide.repair();
    });
    if (isHanding) return;
    const again = (error: unknown): void => {
      tell(this.#events, "retry", { reason: `a socket is dead: ${String(error)}`, afterMs: LOOK_MS });
    };
    this.#holdings.repair((key) => tell(this.#events, "listenerDead", key), again);
  }

  #try(publish: () => void): void {
    try {
      publish();
    } catch (error) {
      tell(this.#events, "retry", { reason: `owner.sock cannot be published: ${String(error)}`, afterMs: LOOK_MS });
    }
  }
}
