// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { descriptorBudget } from "./descriptor-budget.ts";
import type { HandoffErrorCode } from "./errors.ts";
import { codeFor, HandoffError } from "./errors.ts";
import { NativeError } from "./native/native-error.ts";
import type { OwnedFd } from "./native/owned-fd.ts";
import type { Lineage } from "./ownership.ts";
import type { FdItem } from "./protocol/message.ts";
import type { Slot } from "./slot.ts";
import { States } from "./states.ts";

const BIND_TRIES = 50;
const BIND_PAUSE_MS = 10;

interface Inherited {
  readonly item: FdItem;
  readonly fd: OwnedFd;
}

/**
 * The sockets that move in a hand-over: those of this process, those received and not yet claimed, state, and L.
 * L is the last to be closed: as long as a socket lives here, nobody else may bind it.
 */
export class Holdings {
  lineage: Lineage | null = null;
  readonly states = new States();
  readonly #slots = new Map<string, Slot>();
  readonly #inherited = new Map<string, Inherited>();
  #accepting = false;

  get accepting(): boolean {
    return this.#accepting;
  }

  holds(key: string): boolean {
    return this.#slots.has(key);
  }

  mustBeFree(key: string): void {
    if (this.holds(key)) throw new HandoffError("HOT4014", `${key} exists`, { phase: "listen" });
  }

  addSlot(slot: Slot): void {
    this.#slots.set(slot.key, slot);
  }

  /** Not one that another process closed, or that has made room for a later one of its key. */
  has(slot: Slot): boolean {
    return this.#slots.get(slot.key) === slot;
  }

  removeSlot(key: string): void {
    this.#slots.get(key)?.discard();
    this.#slots.delete(key);
  }

  receive(item: FdItem, fd: OwnedFd): void {
    this.#inherited.get(item.key)?.fd.close();
    this.#inherited.set(item.key, { item, fd });
  }

  /**
   * Gives every slot a descriptor.
   *
   * @throws HandoffError as {@link provide}.
   */
  async bindAll(isCurrent: () => boolean): Promise<void> {
    for (const slot of this.#slots.values()) {
      await this.provide(slot, isCurrent);
      if (!isCurrent()) return;
    }
  }

  /**
   * Gives this slot a descriptor: the inherited one of its key, or one bound here. Several may be at it at once: the
   * first descriptor counts, and between its making and its keeping nobody else runs.
   *
   * @throws HandoffError HOT4006 without a descriptor, HOT4010 when the address stays taken, HOT4011 when the old process
   * passed its port on with another host.
   */
  async provide(slot: Slot, isCurrent: () => boolean): Promise<void> {
    for (let tries = 1; !slot.bound && this.has(slot); tries++) {
      const found = this.#inherited.get(slot.key);
      if (found !== undefined && slot.endpoint.matches(found.item)) {
        this.#inherited.delete(slot.key);
        slot.hold(found.fd, found.item);
      } else if (!holdOwn(slot, found?.item, tries === BIND_TRIES)) {
        await sleep(BIND_PAUSE_MS);
        if (!isCurrent()) return;
        continue;
      }
      if (this.#accepting) slot.accept();
    }
  }

  /** Closes what was inherited and not claimed: otherwise the kernel would queue to a socket that nobody accepts on. */
  closeUnclaimed(): string[] {
    const keys = [...this.#inherited.keys()];
    for (const { fd } of this.#inherited.values()) fd.close();
    this.#inherited.clear();
    return keys;
  }

  /** A socket without a reader would queue what nobody answers. */
  mustBeAttached(): void {
    const bare = [...this.#slots.values()].find((slot) => !slot.attached);
    if (bare === undefined) return;
    throw new HandoffError("HOT4014", `${bare.key} has no server or socket: attach one before ready()`, {
      phase: "own",
    });
  }

  /**
   * Each socket needs one more descriptor as soon as it takes in what comes.
   *
   * @throws HandoffError HOT4006
   */
  mustFit(): void {
    const needed = this.#slots.size;
    const left = descriptorBudget(0);
    if (needed <= left) return;
    throw new HandoffError("HOT4006", `serving needs ${needed} descriptors, ${left} are left`, { phase: "transfer" });
  }

  /** Key of a socket that should take in what comes and does not, because the application closed it; null if none. */
  silent(): string | null {
    return [...this.#slots.values()].find((slot) => slot.silent)?.key ?? null;
  }

  adopted(): string[] {
    return [...this.#slots.values()].filter((slot) => slot.inherited).map((slot) => slot.key);
  }

  /** The sockets to pass on, with their descriptors, which stay ours. */
  entries(): { readonly item: FdItem; readonly fd: number }[] {
    return [...this.#slots.values()]
      .filter((slot) => slot.bound)
      .map((slot) => ({ item: slot.describe(), fd: slot.fd }));
  }

  accept(): void {
    this.#accepting = true;
    for (const slot of this.#slots.values()) slot.accept();
  }

  stopAccepting(): void {
    this.#accepting = false;
    for (const slot of this.#slots.values()) slot.stopAccepting();
  }

  /** Looks after each socket: `repaired` is told of one that was dead, `failed` of one that stays so. */
  repair(repaired: (key: string) => void, failed: (error: unknown) => void): void {
    for (const slot of this.#slots.values()) {
      try {
        if (slot.repair()) repaired(slot.key);
      } catch (error) {
        failed(error);
      }
    }
  }

  /**
   * As {@link letGo}, for good. While a socket lingers L stays, to the end of the process at the latest: whoever got it
   * earlier could not bind (R11).
   */
  leave(): void {
    const { lineage } = this;
    const lingering = [...this.#slots.values()].filter((slot) => slot.lingers);
    if (lingering.length > 0) {
      this.lineage = null;
      void Promise.all(lingering.map(async (slot) => slot.closed())).then(() => lineage?.close());
    }
    this.letGo();
  }

  letGo(): void {
    this.#accepting = false;
    for (const slot of this.#slots.values()) slot.letGo();
    this.closeUnclaimed();
    this.states.forget();
    this.lineage?.close();
    this.lineage = null;
  }
}

/**
 * False while the address is taken: a process that has just died may hold it for a moment (R11). `passed`: what came
 * from the old process under its key and is not what was asked for.
 */
function holdOwn(slot: Slot, passed: FdItem | undefined, isLast: boolean): boolean {
  try {
    slot.hold(slot.bind(), null);
    return true;
  } catch (cause) {
    const { key, endpoint } = slot;
    const system = cause instanceof NativeError ? cause.code : ((cause as NodeJS.ErrnoException).code ?? "");
    const what = `${key} cannot be bound to ${endpoint.where} (${system})`;
    const failed = (code: HandoffErrorCode, more = ""): HandoffError =>
      new HandoffError(code, `${what}${more}`, { phase: "listen", cause });
    if (system !== "EADDRINUSE") throw failed(codeFor(system, "HOT4014"));
    // No time makes that free: this process holds it as well.
    if (passed?.port === endpoint.port) throw failed("HOT4011", `: the old process has it at [${passed.address}]`);
    if (isLast) throw failed("HOT4010");
    return false;
  }
}
