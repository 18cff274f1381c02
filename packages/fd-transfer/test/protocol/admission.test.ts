// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Host } from "../../src/protocol/admission.ts";
import { admit } from "../../src/protocol/admission.ts";
import { blockedFor, NO_BACK_OFF, rolledBack } from "../../src/protocol/back-off.ts";
import type { Bodies } from "../../src/protocol/message.ts";
import type { Rank } from "../../src/protocol/rank.ts";
import { compareRank } from "../../src/protocol/rank.ts";
import { isSigned, sign } from "../../src/protocol/token.ts";
import { negotiate } from "../../src/protocol/version.ts";

const host: Host = {
  name: "a",
  rank: { version: 5n, startedAt: 100n },
  leaving: false,
  serving: true,
  handingTo: null,
  hasStandby: false,
  backOff: NO_BACK_OFF,
  retryAfterMs: 100,
  now: 0,
};
const hello: Bodies["HELLO"] = {
  protoMin: 1,
  protoMax: 1,
  name: "a",
  epochKnown: 0n,
  version: 7n,
  startedAt: 50n,
  uid: 0,
  nonce: new Uint8Array(16),
  mac: new Uint8Array(),
  caps: 0,
};

test("a newer process is welcome, however late or early it started", () => {
  expect(admit(host, hello, true)).toEqual({ kind: "welcome", proto: 1 });
});

test("R9: an older one and one of the same rank are told to stand by", () => {
  expect(admit(host, { ...hello, version: 4n, startedAt: 900n }, true)).toMatchObject({
    kind: "refuse",
    code: "standby",
  });
  expect(admit(host, { ...hello, version: 5n, startedAt: 100n }, true)).toMatchObject({
    kind: "refuse",
    code: "standby",
  });
});

test("R9: outside pods, and in one version, the later start is the newer one", () => {
  const outside = { ...host, rank: { version: 0n, startedAt: 100n } };
  expect(admit(outside, { ...hello, version: 0n, startedAt: 101n }, true).kind).toBe("welcome");
  expect(admit(outside, { ...hello, version: 0n, startedAt: 99n }, true)).toMatchObject({ code: "standby" });
  expect(admit(host, { ...hello, version: 5n, startedAt: 101n }, true).kind).toBe("welcome");
});

test("R10: a process that was told to stop hands over to an older one too, rather than to nobody", () => {
  expect(admit({ ...host, leaving: true }, { ...hello, version: 4n }, true).kind).toBe("welcome");
});

test("R6: a standby is released first", () => {
  expect(admit({ ...host, hasStandby: true }, hello, true)).toEqual({ kind: "releaseFirst" });
});

test("R7: BUSY while another hand-over runs or lingers, and before it serves itself", () => {
  expect(admit({ ...host, handingTo: "x" }, hello, true)).toEqual({ kind: "busy", retryAfterMs: 100, by: "x" });
  expect(admit({ ...host, serving: false }, hello, true)).toMatchObject({ kind: "busy" });
});

test("the wrong user or token learns nothing else", () => {
  expect(admit({ ...host, handingTo: "x" }, { ...hello, name: "b" }, false)).toMatchObject({ code: "auth" });
});

test("R9: after a roll-back the same rank waits, twice as long each time; another one does not", () => {
  const rank: Rank = { version: 7n, startedAt: 50n };
  let backOff = rolledBack(NO_BACK_OFF, rank, 1_000, 500);
  expect(admit({ ...host, backOff, now: 1_000 }, hello, true)).toMatchObject({ kind: "busy", retryAfterMs: 500 });
  expect(admit({ ...host, backOff, now: 1_500 }, hello, true).kind).toBe("welcome");
  expect(admit({ ...host, backOff, now: 1_000 }, { ...hello, version: 8n }, true).kind).toBe("welcome");
  const waits = [];
  for (let time = 1; time <= 8; time++) {
    waits.push(blockedFor(backOff, rank, 1_000));
    backOff = rolledBack(backOff, rank, 1_000, 500);
  }
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 16_000, 16_000]);
  // A container that restarts has the same version and another start.
  expect(blockedFor(backOff, { ...rank, startedAt: 99n }, 1_000)).toBe(16_000);
});

test("ranks are a total order", () => {
  const rank = fc.record({ version: fc.bigInt(0n, 3n), startedAt: fc.bigInt(0n, 3n) });
  fc.assert(
    fc.property(rank, rank, rank, (a, b, c) => {
      expect(Math.sign(compareRank(a, b)) + Math.sign(compareRank(b, a))).toBe(0);
      if (compareRank(a, b) <= 0 && compareRank(b, c) <= 0) expect(compareRank(a, c)).toBeLessThanOrEqual(0);
    }),
  );
});

test("versions: the highest that both speak, or none", () => {
  expect(negotiate({ protoMin: 1, protoMax: 3 }, { protoMin: 2, protoMax: 5 })).toBe(3);
  expect(negotiate({ protoMin: 4, protoMax: 9 }, { protoMin: 2, protoMax: 5 })).toBe(5);
  expect(negotiate({ protoMin: 1, protoMax: 1 }, { protoMin: 2, protoMax: 5 })).toBeNull();
});

test("the token signs who asks; any difference is noticed", () => {
  const mac = sign("HELLO", "secret", hello);
  expect(mac).toHaveLength(32);
  expect(isSigned("HELLO", "secret", { ...hello, mac })).toBe(true);
  expect(isSigned("HELLO", "other", { ...hello, mac })).toBe(false);
  expect(isSigned("HELLO", "secret", { ...hello, mac: new Uint8Array() })).toBe(false);
  expect(isSigned("HELLO", "secret", { ...hello, version: 8n, mac })).toBe(false);
  expect(isSigned("HELLO", "secret", { ...hello, nonce: new Uint8Array(16).fill(1), mac })).toBe(false);
  expect(isSigned("HELLO", undefined, { ...hello, mac })).toBe(false);
  expect(isSigned("HELLO", undefined, hello)).toBe(true);
});
