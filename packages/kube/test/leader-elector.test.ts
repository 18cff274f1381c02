// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLeaderElector, NotLeaderError, type Leadership } from "../src/leader-elector.ts";
import { RESOURCES } from "../src/resources.ts";
import { FakeApi } from "../src/testing/fake-api.ts";
import { createFakeClock, type FakeClock } from "../src/testing/fake-clock.ts";
import { Candidate, LEASE } from "./candidate.ts";

let clock: FakeClock;
let api: FakeApi;
let all: Candidate[];

beforeEach(() => {
  clock = createFakeClock();
  api = new FakeApi({ clock });
  all = [];
});

afterEach(async () => {
  for (const one of all) {
    one.link = "refused";
    one.resume();
    one.stop();
  }
  await clock.advance(60_000);
  await Promise.all(all.map(({ ended }) => ended));
  expect(clock.pending).toBe(0);
});

const candidate = (identity: string, options?: { skewMs?: number }): Candidate => {
  const one = new Candidate(api, clock, identity, options);
  all.push(one);
  return one;
};

interface Spec {
  holderIdentity: string;
  leaseDurationSeconds: number;
  leaseTransitions: number;
  acquireTime: string;
  renewTime: string;
}

const spec = async (): Promise<Spec> => {
  const { spec: found } = await api.get<{ spec: Spec }>(RESOURCES.leases, LEASE.name, LEASE);
  return found;
};

/** Lets time pass in small steps, looking at each that at most one leads. */
async function pass(ms: number, until: () => boolean = () => false): Promise<number> {
  const start = clock.now();
  while (clock.now() - start < ms && !until()) {
    await clock.advance(100);
    expect(all.filter(({ leads }) => leads).length).toBeLessThanOrEqual(1);
  }
  return clock.now() - start;
}

describe("the lease", () => {
  test("is made, renewed, and says since when and for how long, as client-go writes it", async () => {
    const a = candidate("a");
    await pass(100);
    expect(a.leads).toBe(true);
    expect(await spec()).toEqual({
      holderIdentity: "a",
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: "2030-01-01T00:00:00.000000Z",
      renewTime: "2030-01-01T00:00:00.000000Z",
    });
    await pass(5_000);
    expect(await spec()).toMatchObject({
      acquireTime: "2030-01-01T00:00:00.000000Z",
      renewTime: "2030-01-01T00:00:04.000000Z",
    });
  });

  test("a renewal is one request, and never overwrites what somebody else has written meanwhile", async () => {
    candidate("a");
    await pass(1_000);
    const before = api.calls.length;
    await pass(2_000);
    expect(api.calls.slice(before).map(({ verb }) => verb)).toEqual(["update"]);
    await api.patch(RESOURCES.leases, LEASE.name, { type: "merge", body: { metadata: { labels: { a: "b" } } } }, LEASE);
    await pass(4_000);
    expect(await api.get(RESOURCES.leases, LEASE.name, LEASE)).toMatchObject({ metadata: { labels: { a: "b" } } });
    expect((await spec()).holderIdentity).toBe("a");
  });

  test("of two that start at once one leads and the other stays a candidate, without an error", async () => {
    const [a, b] = [candidate("a"), candidate("b")];
    await pass(60_000);
    expect(a.terms + b.terms).toBe(1);
    expect([...a.errors, ...b.errors]).toEqual([]);
  });

  test("is handed over on a clean stop in less than 2 s, and left free for client-go", async () => {
    const a = candidate("a");
    await pass(7_300);
    a.stop();
    await a.ended;
    expect(await spec()).toMatchObject({ holderIdentity: "", leaseDurationSeconds: 1, leaseTransitions: 0 });
    const b = candidate("b");
    await pass(100);
    b.stop();
    await b.ended;
    const [c, d] = [candidate("c"), candidate("d")];
    await pass(7_300);
    const [leader, other] = c.leads ? [c, d] : [d, c];
    leader.stop();
    expect(leader.leads).toBe(false);
    expect(await pass(20_000, () => other.leads)).toBeLessThan(2_000);
    expect(await spec()).toMatchObject({ leaseTransitions: 3 });
  });

  test("is taken over from a killed process, not before its time and within 20 s", async () => {
    const a = candidate("a");
    await pass(3_000);
    const b = candidate("b");
    await pass(3_900);
    a.kill();
    const took = await pass(30_000, () => b.leads);
    expect(took).toBeGreaterThan(13_000);
    expect(took).toBeLessThan(20_000);
    expect(await spec()).toMatchObject({ holderIdentity: "b", leaseTransitions: 1 });
  });

  test("a process that was killed is not mistaken for the one that follows it in the same pod", async () => {
    const a = candidate("a_1");
    await pass(3_000);
    a.kill();
    const b = candidate("a_2");
    expect(await pass(30_000, () => b.leads)).toBeGreaterThan(14_000);
  });
});

describe("the fence", () => {
  test("is closed to a process that was paused, at its first look, though its timers have not run yet", async () => {
    const a = candidate("a");
    await pass(3_000);
    const b = candidate("b");
    await pass(1_000);
    a.pause();
    const first = a.leadership!;
    await pass(30_000, () => b.leads);
    expect(b.leads).toBe(true);
    // Nothing has told it, its signal is still quiet: only the time it reads itself can.
    expect(first.signal.aborted).toBe(false);
    expect(() => first.fence()).toThrow(NotLeaderError);
    expect(first.signal.aborted).toBe(true);
    a.resume();
    await pass(30_000);
    expect([a.leads, b.leads]).toEqual([false, true]);
  });

  test("is closed when a renewal is answered too late, since the time counts from its beginning", async () => {
    const a = candidate("a");
    await pass(1_900);
    const held = api.faults.holdNext({ verb: "update" });
    await pass(1_000);
    await held.reached;
    a.pause();
    await pass(12_000);
    const first = a.leadership!;
    held.release();
    await pass(100);
    expect(first.isLeader()).toBe(false);
    expect(() => first.fence()).toThrow(NotLeaderError);
  });

  test.each(["refused", "silent"] as const)("an API that is %s: open for 10 s after the last renewal", async (link) => {
    const a = candidate("a");
    const b = candidate("b");
    await pass(1_000);
    const [leader, other] = a.leads ? [a, b] : [b, a];
    const { leadership } = leader;
    await pass(5_000);
    const since = Date.parse((await spec()).renewTime);
    leader.link = link;
    await pass(30_000, () => leadership!.signal.aborted);
    expect(clock.now() - since).toBeGreaterThanOrEqual(9_900);
    expect(clock.now() - since).toBeLessThanOrEqual(10_000);
    expect(leader.changes).toEqual([true, false]);
    await pass(30_000, () => other.leads);
    expect(other.leads).toBe(true);
    expect(leader.errors.length).toBeGreaterThan(0);
    leader.link = "up";
    await pass(30_000);
    expect([leader.leads, leader.terms]).toEqual([false, 1]);
  });

  test("a short failure of the API costs nothing", async () => {
    const a = candidate("a");
    await pass(1_000);
    a.link = "silent";
    await pass(7_000);
    a.link = "up";
    await pass(30_000);
    expect([a.leads, a.terms]).toEqual([true, 1]);
  });

  test("after a loss the process stands again, and its next term is a new one", async () => {
    const a = candidate("a");
    await pass(1_000);
    const first = a.leadership!;
    a.link = "refused";
    await pass(20_000);
    a.link = "up";
    await pass(5_000);
    expect([a.leads, a.terms, first.isLeader()]).toEqual([true, 2, false]);
    expect(() => first.fence()).toThrow(NotLeaderError);
  });
});

describe("nobody's clock is trusted", () => {
  test.each([-86_400_000, 86_400_000])("a holder whose clock is off by %d ms keeps its lease", async (skewMs) => {
    const a = candidate("a", { skewMs });
    await pass(1_000);
    const b = candidate("b");
    await pass(120_000);
    expect([a.leads, b.terms]).toEqual([true, 0]);
  });

  test("a candidate that has just started waits a whole duration, however old the lease looks", async () => {
    const a = candidate("a");
    await pass(1_000);
    a.kill();
    await pass(3_600_000);
    const b = candidate("b");
    expect(await pass(30_000, () => b.leads)).toBeGreaterThan(14_500);
  });
});

describe("a lease that others have touched", () => {
  test("deleted under the holder: it makes it anew, and a candidate that knew of it waits", async () => {
    const [a, b] = [candidate("a"), candidate("b")];
    // The candidate looks at 5 s, the holder renews at 6 s.
    await pass(4_500);
    await api.delete(RESOURCES.leases, LEASE.name, LEASE);
    await pass(60_000);
    expect(a.terms + b.terms).toBe(1);
    expect((await spec()).holderIdentity).toBe(a.terms === 1 ? "a" : "b");
  });

  test("given to somebody else: the holder ends its term at its next renewal", async () => {
    const a = candidate("a");
    await pass(1_000);
    await api.patch(RESOURCES.leases, LEASE.name, { type: "merge", body: { spec: { holderIdentity: "x" } } }, LEASE);
    expect(await pass(5_000, () => !a.leads)).toBeLessThanOrEqual(2_000);
    a.stop();
    await a.ended;
    expect((await spec()).holderIdentity).toBe("x");
  });

  test.each<[string, unknown]>([
    ["no spec", undefined],
    ["a spec that is a list", []],
    ["a spec that is null", null],
    ["numbers that are texts", { holderIdentity: "x", leaseDurationSeconds: "9", leaseTransitions: "many" }],
    ["a negative duration", { holderIdentity: "x", leaseDurationSeconds: -1, leaseTransitions: -7 }],
    ["a holder that is no text", { holderIdentity: { a: 1 }, leaseDurationSeconds: 15 }],
    ["times that are none", { holderIdentity: "x", acquireTime: "soon", renewTime: 7, leaseTransitions: 1e300 }],
  ])("%s: taken after a duration at the latest, and whole afterwards", async (_, content) => {
    api.seed(RESOURCES.leases, { metadata: { ...LEASE }, spec: content });
    const a = candidate("a");
    await pass(20_000, () => a.leads);
    expect(await spec()).toMatchObject({
      holderIdentity: "a",
      leaseDurationSeconds: 15,
      acquireTime: expect.stringMatching(/^2030-01-01T00:00:\d\d\.\d{6}Z$/) as unknown,
    });
    expect(Number.isInteger((await spec()).leaseTransitions)).toBe(true);
    expect((await spec()).leaseTransitions).toBeGreaterThanOrEqual(0);
    expect((await spec()).leaseTransitions).toBeLessThan(2 ** 31);
  });

  test("a holder that promises longer is waited for; one that promises years is not", async () => {
    api.seed(RESOURCES.leases, { metadata: { ...LEASE }, spec: { holderIdentity: "x", leaseDurationSeconds: 60 } });
    const a = candidate("a");
    expect(await pass(70_000, () => a.leads)).toBeGreaterThan(59_000);
    a.stop();
    await a.ended;
    api.seed(RESOURCES.leases, { metadata: { ...LEASE }, spec: { holderIdentity: "y", leaseDurationSeconds: 1e9 } });
    const b = candidate("b");
    await clock.advance(3_610_000);
    expect(b.leads).toBe(true);
  });

  test("fields that are not ours stay", async () => {
    api.seed(RESOURCES.leases, {
      metadata: { ...LEASE, labels: { x: "y" } },
      spec: { strategy: "OldestEmulationVersion" },
    });
    candidate("a");
    await pass(100);
    expect(await api.get(RESOURCES.leases, LEASE.name, LEASE)).toMatchObject({
      metadata: { labels: { x: "y" } },
      spec: { strategy: "OldestEmulationVersion", holderIdentity: "a" },
    });
  });
});

describe("answers that are lost", () => {
  test("of the first write: the next attempt finds its own name", async () => {
    api.faults.loseNextAnswer({ verb: "create" });
    const a = candidate("a");
    await pass(3_000);
    expect([a.leads, a.terms, a.errors.length]).toEqual([true, 1, 1]);
  });

  test("of a renewal: the term goes on", async () => {
    const a = candidate("a");
    await pass(1_000);
    api.faults.loseNextAnswer({ verb: "update" });
    await pass(30_000);
    expect([a.leads, a.terms, a.errors.length]).toEqual([true, 1, 1]);
  });

  test("of the first write, and stopped before the next: given back all the same", async () => {
    api.faults.loseNextAnswer({ verb: "create" });
    const a = candidate("a");
    await clock.advance(100);
    a.stop();
    await a.ended;
    expect((await spec()).holderIdentity).toBe("");
  });
});

describe("the work of a term", () => {
  const options = { ...LEASE, identity: "a" };

  test("is over before the lease is given back", async () => {
    const stop = new AbortController();
    const last = Promise.withResolvers<void>();
    const elector = createLeaderElector({ ...options, api, clock, monotonic: () => clock.now() });
    const ended = elector.run(stop.signal, () => last.promise);
    await clock.advance(100);
    stop.abort();
    await clock.advance(3_000);
    expect(elector.isLeader()).toBe(false);
    expect((await spec()).holderIdentity).toBe("a");
    last.resolve();
    await ended;
    expect((await spec()).holderIdentity).toBe("");
  });

  test("may finish its writes after a clean stop, as long as the lease can be relied on", async () => {
    const stop = new AbortController();
    const last = Promise.withResolvers<void>();
    let term: Leadership | undefined;
    const elector = createLeaderElector({ ...options, api, clock, monotonic: () => clock.now() });
    const ended = elector.run(stop.signal, (leadership) => {
      term = leadership;
      return last.promise;
    });
    await clock.advance(100);
    stop.abort();
    await clock.advance(9_000);
    expect([term?.signal.aborted, term?.writes.aborted]).toEqual([true, false]);
    expect(() => term?.fence()).toThrow(NotLeaderError);
    await clock.advance(1_000);
    expect(term?.writes.aborted).toBe(true);
    last.resolve();
    await ended;
    expect(clock.pending).toBe(0);
  });

  test("gives up its writes at once when the term is lost", async () => {
    let term: Leadership | undefined;
    const last = Promise.withResolvers<void>();
    const stop = new AbortController();
    const elector = createLeaderElector({ ...options, api, clock, monotonic: () => clock.now() });
    const ended = elector.run(stop.signal, (leadership) => {
      term = leadership;
      return last.promise;
    });
    await clock.advance(100);
    for (let i = 0; i < 20; i++) api.faults.failNext({ verb: "update" }, new Error("no"));
    for (let i = 0; i < 20; i++) api.faults.failNext({ verb: "get" }, new Error("no"));
    await clock.advance(11_000);
    expect(term?.writes.aborted).toBe(true);
    last.resolve();
    stop.abort();
    await clock.advance(5_000);
    await ended;
  });

  test("that fails ends the election with its error, and the lease is given back", async () => {
    const elector = createLeaderElector({ ...options, api, clock, monotonic: () => clock.now() });
    const never = new AbortController().signal;
    await expect(elector.run(never, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect((await spec()).holderIdentity).toBe("");
  });

  test.each([{ identity: "" }, { leaseDurationMs: 10_000 }, { retryPeriodMs: 9_000 }, { renewDeadlineMs: Number.NaN }])(
    "can't begin with %j",
    (wrong) => {
      expect(() => createLeaderElector({ ...options, api, ...wrong })).toThrow(RangeError);
    },
  );
});
