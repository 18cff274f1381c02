// SPDX-License-Identifier: Apache-2.0
import { isNewer, serves, type Process } from "./process.ts";

/** The sockets of one hot pair: who accepts, and how that goes from side to side. */
export class Sockets {
  readonly sides: [Process, Process];
  owner: 0 | 1 | undefined;

  constructor(sides: [Process, Process], owner: 0 | 1) {
    this.sides = sides;
    this.owner = owner;
  }

  /** What a process may do by itself: take over from an older one, or bind where nobody accepts. */
  move(process: Process): "takes over" | "binds" | undefined {
    const side = this.#sideOf(process);
    if (side === undefined || !serves(process)) return undefined;
    if (this.owner === undefined) return this.#give(side, "binds");
    const owner = this.sides[this.owner];
    const may = this.owner !== side && isNewer(process) && !process.took && owner.version < process.version;
    return may ? this.#give(side, "takes over") : undefined;
  }

  /**
   * A process ends; returns what is wrong with that. An owner leaves the sockets to its sibling if that one lives: told
   * to stop, it yields first; if it dies, the sibling takes them. No owner at all is right only where one side has died
   * on its own and the other was down.
   */
  end(process: Process, how: "term" | "crash"): string | undefined {
    const side = this.#sideOf(process);
    if (side === undefined || this.owner !== side) return undefined;
    const other = side === 0 ? 1 : 0;
    const sibling = this.sides[other];
    this.owner = undefined;
    if (serves(sibling)) {
      this.#give(other, "binds");
      return undefined;
    }
    const excused = how === "crash" || sibling.fell;
    return excused
      ? undefined
      : `I1: nobody accepts: ${process.container} is stopped while ${sibling.container} is ${sibling.state} ${sibling.image}`;
  }

  #sideOf(process: Process): 0 | 1 | undefined {
    const side = this.sides.indexOf(process);
    return side === 0 || side === 1 ? side : undefined;
  }

  #give<T>(side: 0 | 1, how: T): T {
    this.owner = side;
    this.sides[side].took = true;
    this.sides[side].fell = false;
    return how;
  }
}
