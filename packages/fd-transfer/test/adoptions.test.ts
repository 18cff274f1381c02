// SPDX-License-Identifier: Apache-2.0
// Connections that arrive in batches, and those that are new at the same moment: the new ones do not wait for a batch.
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { Adoptions } from "../src/adoptions.ts";
import type { PackedConnection } from "../src/movable.ts";
import { Movables } from "../src/movables.ts";
import { loadNative } from "../src/native/addon.ts";
import { OwnedFd } from "../src/native/owned-fd.ts";
import type { Message } from "../src/protocol/message.ts";
import { SPOKEN } from "../src/protocol/version.ts";
import { Receivers } from "../src/receivers.ts";
import { sealBytes } from "../src/sealed-bytes.ts";
import { Session } from "../src/session.ts";
import { closing, folder, openDescriptors } from "./native/descriptors.ts";

afterEach(() => void vi.restoreAllMocks());

const NOTHING = new Uint8Array();
const { setImmediate: next } = globalThis;
const turn = async (): Promise<void> => new Promise((resolve) => next(resolve));

/** Each adoption takes so long by a clock that nothing else moves. */
function clockOf(ms: number): { readonly tick: (more?: number) => void } {
  let now = 1_000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  return { tick: (more = ms) => void (now += more) };
}

interface Batch {
  readonly paced: Adoptions;
  readonly clock: ReturnType<typeof clockOf>;
  /** In which turn each was adopted. */
  readonly seen: number[];
  readonly done: () => number;
  /** So many are taken; turns pass until all are adopted. */
  readonly run: (count: number) => Promise<void>;
}

/** Each takes so long to adopt. */
function adoptions(ms: number): Batch {
  const clock = clockOf(ms);
  const seen: number[] = [];
  let turns = 0;
  let done = 0;
  const paced = new Adoptions({
    expect: () => undefined,
    adopt: () => {
      seen.push(turns);
      clock.tick();
    },
    done: () => done++,
  });
  const run = async (count: number): Promise<void> => {
    paced.take(some(count));
    for (; paced.busy && turns < 10_000; turns++) await turn();
  };
  return { paced, clock, seen, done: () => done, run };
}

function some(count: number): PackedConnection[] {
  return Array.from({ length: count }, () => ({}) as PackedConnection);
}

test("a batch is adopted a slice in each turn, so that what else has come is served in between", async () => {
  const { seen, done, run } = adoptions(0.25);
  const all = run(32);
  expect(seen).toEqual([]);
  await all;
  const perTurn = Object.values(Object.groupBy(seen, (at) => at)).map((of) => of?.length);
  expect(perTurn).toEqual([4, 4, 4, 4, 4, 4, 4, 4]);
  expect(done()).toBe(1);
});

test("while others connect, it asks for a rest of fifteen times as long as the last batch took", async () => {
  const { paced, clock, run } = adoptions(0.25);
  paced.came();
  // One alone may be the probe of this process itself.
  expect(paced.restMs()).toBe(0);
  paced.came();
  await run(8);
  expect(paced.restMs()).toBe(30);
  await run(4);
  expect(paced.restMs()).toBe(15);
  clock.tick(60);
  expect(paced.restMs()).toBe(0);
});

test("it asks for two seconds of rest in all: whoever passes connections on may have a deadline", async () => {
  const { paced, clock, run } = adoptions(2);
  const rests: number[] = [];
  for (let batch = 0; batch < 30; batch++) {
    paced.came();
    paced.came();
    await run(8);
    rests.push(paced.restMs());
    clock.tick(rests.at(-1));
  }
  expect(Math.max(...rests)).toBe(100);
  expect(rests.reduce((sum, ms) => sum + ms, 0)).toBe(2_000);
  expect(rests.at(-1)).toBe(0);
  // Those that come much later are others.
  clock.tick(3_000);
  paced.came();
  paced.came();
  expect(paced.restMs()).toBe(100);
});

test("an adopted connection is nobody new", async () => {
  const clock = clockOf(0.25);
  const paced: Adoptions = new Adoptions({
    expect: () => undefined,
    adopt: () => {
      paced.came(); // As a server does that is given one.
      clock.tick();
    },
    done: () => undefined,
  });
  paced.take(some(32));
  for (let turns = 0; turns < 8; turns++) await turn();
  expect(paced.busy).toBe(false);
  expect(paced.restMs()).toBe(0);
});

test("finish: what was taken is adopted at once", () => {
  const { paced, seen } = adoptions(0.25);
  paced.take(some(32));
  paced.finish();
  expect(seen).toHaveLength(32);
  expect(paced.busy).toBe(false);
});

interface Passing {
  readonly receivers: Receivers;
  readonly told: string[];
  /** Taken and read by nobody. */
  readonly unread: () => number;
  /** Two connections, whose meta says so. */
  readonly send: (batch: number) => void;
}

/** A process that passes connections on to an owner, both of them here. Each adoption takes as long as a slice may. */
function passing(): Passing {
  const clock = clockOf(1);
  const native = loadNative();
  const told: string[] = [];
  let unread = 0;
  const movables = new Movables({
    lift: () => undefined,
    expect: () => void unread++,
    land: () => void unread--,
    failed: (_key, error) => told.push(String(error)),
  });
  const adopt = ({ meta }: PackedConnection): void => {
    told.push(`adopted ${String(meta)}`);
    clock.tick();
  };
  movables.add({ key: "own/k", has: () => false, candidates: () => [], pack: () => null, adopt });
  const identity = {
    name: "n",
    dir: "",
    rank: { version: 0n, startedAt: 0n },
    token: undefined,
    mode: "user" as const,
  };
  const receivers = new Receivers(identity, movables, () => true);
  const [a, b] = native.socketpair();
  const mover = new Session(a, {
    message: ({ type }) => type === "MOVING" && told.push(type),
    eof: () => told.push("end"),
    broken: () => told.push("broken"),
  });
  const owner: Session = new Session(b, {
    message: (message) => message.type === "MOVE" && receivers.admit(owner, message),
    eof: () => owner.close(),
    broken: () => owner.close(),
  });
  const answer = owner.send.bind(owner);
  owner.send = (message, ...more) => {
    if (message.type === "CONN_ACK") told.push(`ack ${message.batch}`);
    answer(message, ...more);
  };
  onTestFinished(() => {
    mover.close();
    owner.close();
  });
  const move: Message = {
    type: "MOVE",
    ...SPOKEN,
    name: "n",
    version: 0n,
    startedAt: 0n,
    nonce: NOTHING,
    mac: NOTHING,
    keys: ["own/k"],
  };
  mover.send(move);
  const stream = new OwnedFd(native.connectUnix(listening(), "stream"));
  const [cookie = 0n] = native.identify([stream.fd]);
  onTestFinished(() => stream.close());
  const send = (batch: number): void => {
    const memory = sealBytes([Buffer.from(`${batch}a${batch}b`)]);
    const items = [0, 1].map(() => ({ key: 0, cookie, metaBytes: 2, unreadBytes: 0 }));
    mover.send({ type: "CONN", batch, items }, [stream.fd, stream.fd, memory.fd], () => memory.close());
  };
  return { receivers, told, unread: () => unread, send };
}

/** The path of a Unix socket that listens. */
function listening(): string {
  const path = `${folder()}/s`;
  closing(loadNative().listenUnix(path, 4, 0o600));
  return path;
}

async function until(done: () => boolean): Promise<void> {
  for (let turns = 0; !done() && turns < 1_000; turns++) await turn();
}

test("a batch is answered before it is read, and the next one when that is done", async () => {
  const { told, send, unread } = passing();
  await until(() => told.includes("MOVING"));
  send(0);
  await until(() => told.includes("ack 0"));
  send(1);
  await until(() => told.includes("adopted 1b"));
  expect(told.slice(1)).toEqual(["ack 0", "adopted 0a", "adopted 0b", "ack 1", "adopted 1a", "adopted 1b"]);
  expect(unread()).toBe(0);
});

test("an owner that ends reads what it has answered for, and leaves the rest to the process it came from", async () => {
  const { receivers, told, send, unread } = passing();
  await until(() => told.includes("MOVING"));
  const before = openDescriptors().length;
  send(0);
  send(1);
  const held: (() => void)[] = [];
  // No turn of the event loop passes between the two connections of the first batch: the second batch has to wait.
  vi.spyOn(globalThis, "setImmediate").mockImplementation(((then: () => void) => void held.push(then)) as never);
  await until(() => told.includes("ack 0"));
  held.shift()?.();
  for (let turns = 0; turns < 10; turns++) await turn();
  expect(told).toEqual(["MOVING", "ack 0", "adopted 0a"]);
  expect(unread()).toBe(1);
  receivers.close();
  await until(() => told.includes("end"));
  expect(told).toEqual(["MOVING", "ack 0", "adopted 0a", "adopted 0b", "end"]);
  expect(unread()).toBe(0);
  // The owner's end of the connection is closed as well.
  expect(openDescriptors().length).toBeLessThan(before);
});

test("a second batch before the answer to the first ends the connection, and neither is lost that was answered", async () => {
  const { told, send, unread } = passing();
  await until(() => told.includes("MOVING"));
  send(0);
  send(1);
  send(2);
  await until(() => told.includes("adopted 1b"));
  await until(() => told.includes("end"));
  expect(told.filter((what) => what.startsWith("adopted"))).toEqual([
    "adopted 0a",
    "adopted 0b",
    "adopted 1a",
    "adopted 1b",
  ]);
  expect(told).not.toContain("ack 2");
  expect(unread()).toBe(0);
});
