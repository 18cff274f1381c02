// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "node:net";
import { HandoffError } from "./errors.ts";
import type { ListenOptions } from "./listener.ts";
import { ListenerSlot } from "./listener.ts";
import { loadNative } from "./native/addon.ts";
import { NativeError } from "./native/native-error.ts";
import { OwnedFd } from "./native/owned-fd.ts";
import type { Lineage } from "./ownership.ts";
import type { FdItem } from "./protocol/message.ts";

const BIND_TRIES = 50;
const BIND_PAUSE_MS = 10;

interface Inherited {
  readonly item: FdItem;
  readonly fd: OwnedFd;
}

/**
 * Everything that moves in a hand-over: the listeners of this process, those received and not yet claimed, and L.
 * L is the last to be closed: as long as a listener lives here, nobody else may bind it.
 */
export class Holdings {
  lineage: Lineage | null = null;
  readonly #slots = new Map<string, ListenerSlot>();
  readonly #inherited = new Map<string, Inherited>();
  readonly #onAttach: (server: Server) => void;
  #accepting = false;

  constructor(onAttach: (server: Server) => void) {
    this.#onAttach = onAttach;
  }

  get accepting(): boolean {
    return this.#accepting;
  }

  addSlot(key: string, options: ListenOptions): ListenerSlot {
    if (this.#slots.has(key)) throw new HandoffError("HOT4014", `listener ${key} exists`, { phase: "listen" });
    const slot = new ListenerSlot(key, options, this.#onAttach);
    this.#slots.set(key, slot);
    return slot;
  }

  removeSlot(key: string): void {
    this.#slots.get(key)?.letGo();
    this.#slots.delete(key);
  }

  receive(item: FdItem, fd: OwnedFd): void {
    this.#inherited.get(item.key)?.fd.close();
    this.#inherited.set(item.key, { item, fd });
  }

  /**
   * Gives every slot a descriptor: the inherited one of its key, or one bound here.
   *
   * @throws HandoffError HOT4010 when an address stays taken.
   */
  async bindAll(isCurrent: () => boolean): Promise<void> {
    for (const slot of this.#slots.values()) {
      if (slot.bound) continue;
      const found = this.#inherited.get(slot.key);
      if (found !== undefined && slot.matches(found.item)) {
        this.#inherited.delete(slot.key);
        slot.hold(found.fd, true);
        continue;
      }
      const fd = await bind(slot, isCurrent);
      if (fd === null) return;
      slot.hold(fd, false);
    }
  }

  /** Closes what was inherited and not claimed: otherwise the kernel would queue to a socket that nobody accepts on. */
  closeUnclaimed(): string[] {
    const keys = [...this.#inherited.keys()];
    for (const { fd } of this.#inherited.values()) fd.close();
    this.#inherited.clear();
    return keys;
  }

  /** A listener without a server would queue connections that nobody answers. */
  mustBeAttached(): void {
    const bare = [...this.#slots.values()].find((slot) => !slot.attached);
    if (bare === undefined) return;
    throw new HandoffError("HOT4014", `listener ${bare.key} has no server: attach one before ready()`, {
      phase: "own",
    });
  }

  /** Key of a listener that should accept and does not, because the application closed its server; null if none. */
  silent(): string | null {
    return [...this.#slots.values()].find((slot) => slot.silent)?.key ?? null;
  }

  adopted(): string[] {
    return [...this.#slots.values()].filter((slot) => slot.inherited).map((slot) => slot.key);
  }

  /** The listeners to pass on, with their descriptors, which stay ours. */
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

  /** Keys of listeners that somebody shut down and that listen again now. */
  repair(): string[] {
    return [...this.#slots.values()].filter((slot) => slot.repairIfDead()).map((slot) => slot.key);
  }

  letGo(): void {
    this.#accepting = false;
    for (const slot of this.#slots.values()) slot.letGo();
    this.closeUnclaimed();
    this.lineage?.close();
    this.lineage = null;
  }
}

/** Null when the process lost its hold meanwhile. */
async function bind(slot: ListenerSlot, isCurrent: () => boolean): Promise<OwnedFd | null> {
  const { host, port, backlog, v6only } = slot.options;
  for (let tries = 1; ; tries++) {
    try {
      return new OwnedFd(loadNative().listenTcp(host, port, { backlog, v6only }));
    } catch (cause) {
      const code = cause instanceof NativeError ? cause.code : "";
      // A process that has just died may hold the address for a moment (R11).
      if (code === "EADDRINUSE" && tries < BIND_TRIES) {
        await sleep(BIND_PAUSE_MS);
        if (!isCurrent()) return null;
        continue;
      }
      const what = `listener ${slot.key} cannot be bound to [${host}]:${port} (${code})`;
      throw new HandoffError(code === "EADDRINUSE" ? "HOT4010" : "HOT4014", what, { phase: "listen", cause });
    }
  }
}
