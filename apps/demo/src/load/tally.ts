// SPDX-License-Identifier: Apache-2.0

/** The traffic classes; each meets another way to lose something in an upgrade. */
export const kinds = ["keepAlive", "newConnection", "idle", "slow"] as const;
export type Kind = (typeof kinds)[number];

/** What happened so far, as plain data: it crosses a process boundary. */
export interface TallySnapshot {
  requests: Record<Kind, number>;
  answered: Record<Kind, number>;
  failed: Record<Kind, number>;
  /** Connections reset, or closed by the server without a `Connection: close` announced before. */
  lostConnections: Record<Kind, number>;
  /** Answers by `<version>/<container>` of the sidecar that gave them, per pod. */
  answersBySidecar: Record<string, Record<string, number>>;
  /** The longest time in which a pod answered nothing, milliseconds, per pod. */
  longestGapMs: Record<string, number>;
  /** The first few failures in words. */
  failures: string[];
}

const KEPT_FAILURES = 20;

function perKind(): Record<Kind, number> {
  return { keepAlive: 0, newConnection: 0, idle: 0, slow: 0 };
}

/** Counts answers and failures. Time comes in as an argument (monotonic milliseconds). */
export class Tally {
  readonly #state: TallySnapshot = {
    requests: perKind(),
    answered: perKind(),
    failed: perKind(),
    lostConnections: perKind(),
    answersBySidecar: {},
    longestGapMs: {},
    failures: [],
  };
  readonly #lastAnswer = new Map<string, number>();
  #gapsEnded = false;

  request(kind: Kind): void {
    this.#state.requests[kind] += 1;
  }

  answer(kind: Kind, pod: string, sidecar: string, now: number): void {
    this.#state.answered[kind] += 1;
    const bySidecar = (this.#state.answersBySidecar[pod] ??= {});
    bySidecar[sidecar] = (bySidecar[sidecar] ?? 0) + 1;
    if (this.#gapsEnded) return;
    this.#closeGap(pod, now);
    this.#lastAnswer.set(pod, now);
  }

  /**
   * From `now` on no requests begin, so silence says nothing any more. A pod that has fallen silent before is seen:
   * its gap lasts until now.
   */
  endGaps(now: number): void {
    for (const pod of this.#lastAnswer.keys()) this.#closeGap(pod, now);
    this.#gapsEnded = true;
  }

  failure(kind: Kind, pod: string, sentence: string): void {
    this.#state.failed[kind] += 1;
    this.#remember(`${kind} to ${pod}: ${sentence}`);
  }

  lostConnection(kind: Kind, pod: string, sentence: string): void {
    this.#state.lostConnections[kind] += 1;
    this.#remember(`${kind} to ${pod}: connection lost: ${sentence}`);
  }

  snapshot(): TallySnapshot {
    return structuredClone(this.#state);
  }

  #closeGap(pod: string, now: number): void {
    const gap = now - (this.#lastAnswer.get(pod) ?? now);
    this.#state.longestGapMs[pod] = Math.max(this.#state.longestGapMs[pod] ?? 0, gap);
  }

  #remember(sentence: string): void {
    if (this.#state.failures.length < KEPT_FAILURES) this.#state.failures.push(sentence);
  }
}

/** The sum over all kinds. */
export function total(counts: Record<Kind, number>): number {
  return kinds.reduce((sum, kind) => sum + counts[kind], 0);
}
