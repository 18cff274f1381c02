// SPDX-License-Identifier: Apache-2.0

/** Rates of one operation on one thread. */
export interface Measured {
  /** What an idle machine's clock would show, near enough: processor time of the whole process, best round. */
  "per CPU second": number;
  /** What the clock shows, median of the rounds; other work on the machine counts. */
  "per second": number;
  "p50 in ms": number;
  "p99 in ms": number;
}

const ROUNDS = 7;
const ROUND_MS = 300;

/** Runs operations in turn, round by round, so that a busy moment of the machine hits all of them; the first round warms up. */
export function measure<Name extends string>(operations: Record<Name, () => unknown>): Record<Name, Measured> {
  const names = Object.keys(operations) as Name[];
  const rounds = new Map<Name, Round[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of names) {
      const done = runRound(operations[name]);
      if (round > 0) rounds.get(name)?.push(done);
    }
  }
  return Object.fromEntries(names.map((name) => [name, summary(rounds.get(name) ?? [])])) as Record<Name, Measured>;
}

interface Round {
  samples: number[];
  wallMs: number;
  cpuMs: number;
}

function runRound(operation: () => unknown): Round {
  const samples: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  let end = start;
  while (end - start < ROUND_MS) {
    const before = performance.now();
    operation();
    end = performance.now();
    samples.push(end - before);
  }
  const { user, system } = process.cpuUsage(cpu);
  return { samples, wallMs: end - start, cpuMs: (user + system) / 1000 };
}

function summary(rounds: readonly Round[]): Measured {
  const rates = (of: "wallMs" | "cpuMs"): number[] =>
    sorted(rounds.map((round) => Math.round((round.samples.length / round[of]) * 1000)));
  const samples = sorted(rounds.flatMap((round) => round.samples));
  const at = (share: number): number => Number((samples[Math.floor(samples.length * share)] ?? 0).toFixed(3));
  return {
    "per CPU second": rates("cpuMs").at(-1) ?? 0,
    "per second": rates("wallMs")[Math.floor(rounds.length / 2)] ?? 0,
    "p50 in ms": at(0.5),
    "p99 in ms": at(0.99),
  };
}

function sorted(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}
