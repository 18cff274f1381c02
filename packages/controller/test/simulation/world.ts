// SPDX-License-Identifier: Apache-2.0
import type { Pod } from "@hot/spec";
import { ApiServer, type Commit } from "./api-server.ts";
import type { Weather } from "./faults.ts";
import { createRandom, type Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";

export const T0 = Date.UTC(2030, 0, 1);

/** Who is told of every write to one kind of objects. */
interface Watcher {
  readonly plural: string;
  readonly isOver: boolean;
  /** Some of what was offered has not arrived, or in another order. */
  readonly isTorn: boolean;
  offer(commit: Commit): void;
  cut(): void;
}

/** Of a policy: whether it keeps a pod as it is, which may change by itself. */
interface Holding {
  holds(pod: Pod, isChanging: boolean): boolean;
}

/** Of a webhook: a pod that is created. */
interface Rewriting {
  created(pod: Pod): Pod;
}

/** What everything in one run shares. */
export class World {
  readonly random: Random;
  readonly scheduler = new Scheduler(T0);
  readonly server = new ApiServer();
  readonly streams = new Set<Watcher>();
  weather: Weather;
  /** What others have put before the API server; absent: nothing. */
  policy: Holding | undefined;
  mirror: Rewriting | undefined;
  /** The API server answers nothing but errors. */
  isDown = false;
  /** The first thing that was wrong. */
  violation: string | undefined;
  /** Absent: nobody wants to read it. */
  readonly trace: string[] | undefined;
  /** Somebody may be shown how SidecarSets were some changes ago. */
  readonly hasStaleLists: boolean;
  /** Calls may take up to `SLOW_CALL` each way. */
  readonly isSlow: boolean;

  constructor(seed: number, weather: (random: Random) => Weather, isTraced: boolean) {
    this.random = createRandom(seed);
    this.weather = weather(this.random);
    this.isSlow = this.weather.slow > 0;
    this.hasStaleLists = this.weather.staleList > 0;
    if (isTraced) this.trace = [];
    this.server.onCommit((commit) => {
      for (const stream of this.streams) {
        if (stream.isOver) this.streams.delete(stream);
        else if (stream.plural === commit.plural) stream.offer(commit);
      }
    });
  }

  note(text: () => string): void {
    this.trace?.push(`${((this.scheduler.now - T0) / 1000).toFixed(3).padStart(9)} ${text()}`);
  }

  /** Something that must never be: the run ends here. */
  violate(what: string | undefined): void {
    if (what === undefined || this.violation !== undefined) return;
    this.violation = what;
    this.note(() => `VIOLATION ${what}`);
  }
}
