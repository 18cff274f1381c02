// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type Exchange, type Target } from "./client.ts";
import type { Kind, Tally } from "./tally.ts";

/** How many clients of a kind each pod gets, and how long one rests between two requests, milliseconds. */
export type Mix = Record<Kind, { clients: number; thinkMs: number }>;

/** About 450 requests/s for each pod where the machine has two cores to spare. */
export const demoMix: Mix = {
  keepAlive: { clients: 8, thinkMs: 20 },
  newConnection: { clients: 2, thinkMs: 10 },
  idle: { clients: 20, thinkMs: 2000 },
  slow: { clients: 2, thinkMs: 200 },
};

const SLOW_SECONDS = 3;
const BODY_BYTES = 1024;

/** POST with a body that no other request has; the answer must be that body, and the header its hash. */
function echo(): Exchange {
  const body = randomBytes(BODY_BYTES);
  return {
    method: "POST",
    path: "/echo",
    body,
    check: (answer, { headers }) => {
      if (!answer.equals(body)) return `echo differs: ${answer.length} of ${body.length} bytes`;
      const hash = createHash("sha256").update(body).digest("hex");
      return headers["x-body-sha256"] === hash ? undefined : "the application saw another body";
    },
  };
}

const small: Exchange = { method: "GET", path: "/", check: (body) => (body.length > 0 ? undefined : "empty answer") };

/** A stream of numbered lines; each must be there once, in order, and the last one too. */
const stream: Exchange = {
  method: "GET",
  path: `/slow?seconds=${SLOW_SECONDS}`,
  check: (body) => {
    const lines = body.toString("utf8").split("\n").slice(0, -1);
    const wrong = lines.findIndex((line, index) => Number.parseInt(line, 10) !== index);
    if (wrong >= 0) return `line ${wrong} of the stream is ${JSON.stringify(lines[wrong])}`;
    return lines.length === SLOW_SECONDS * 10 ? undefined : `stream of ${lines.length} lines, not ${SLOW_SECONDS * 10}`;
  },
};

const exchangeOf: Record<Kind, () => Exchange> = {
  keepAlive: echo,
  newConnection: echo,
  idle: () => small,
  slow: () => stream,
};

/** Starts every client of the mix; the returned function stops them after their present request. */
export function startTraffic(targets: readonly Target[], mix: Mix, tally: Tally): () => Promise<void> {
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  for (const target of targets) {
    for (const [kind, { clients, thinkMs }] of Object.entries(mix) as [Kind, Mix[Kind]][]) {
      for (let index = 0; index < clients; index += 1) {
        const offset = (thinkMs * index) / clients;
        running.push(run(new Client(target, kind, tally), exchangeOf[kind], thinkMs, offset, stop.signal));
      }
    }
  }
  return async () => {
    stop.abort();
    tally.endGaps(performance.now());
    await Promise.all(running);
  };
}

async function run(
  client: Client,
  next: () => Exchange,
  thinkMs: number,
  offset: number,
  signal: AbortSignal,
): Promise<void> {
  const rest = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
  await rest(offset);
  while (!signal.aborted) {
    await client.exchange(next());
    await rest(thinkMs);
  }
  client.close();
}
