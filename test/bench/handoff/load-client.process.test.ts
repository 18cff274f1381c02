// SPDX-License-Identifier: Apache-2.0
// The load client is not blind: an upgrade that loses nothing costs no error, a killed server costs each class its own.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { errorsOf } from "../../../bench/handoff/accounting/account.ts";
import { LoadClient } from "../../../bench/handoff/client/load-client.ts";
import { hot } from "../../../bench/handoff/peers/hot.ts";
import { floor } from "../../../bench/handoff/peers/node.ts";
import { freePort } from "../../../apps/demo/src/free-port.ts";
import { runUpgrades } from "../../../bench/handoff/side-by-side.ts";

const AMOUNTS = { new: 50, ka: 5, idle: 5, echo: 5, slow: 3, udp: 500, tls: 10 };

test("an upgrade of ours: no error and no closed connection in any class, and both generations have answered", async () => {
  const plan = { upgrades: 1, everyMs: 0, overloadEvery: 0, drainMs: 20_000 };
  const { load, descriptors } = await runUpgrades(hot, AMOUNTS, plan);
  expect(Object.keys(load.classes)).toEqual(Object.keys(AMOUNTS));
  for (const [name, report] of Object.entries(load.classes)) {
    expect({ name, errors: report.errors, closed: report.closed }).toEqual({ name, errors: {}, closed: 0 });
    expect(report.successes).toBe(report.attempts);
    // Lines do not tell who answered, and a response of 3 s may be one that began before.
    if (name !== "echo" && name !== "slow") expect(report.generations).toEqual(["2", "3"]);
  }
  expect(descriptors?.[1]).toBe(descriptors?.[0]);
});

test("a killed server: refused connections, cut responses, lost lines and every closed connection are counted", async () => {
  const ports = { http: await freePort(), udp: 0, tls: 0 };
  const server = await floor.start(ports, 4_000);
  await using client = await LoadClient.start({ ports, amounts: { ...AMOUNTS, udp: 0, tls: 0 } });
  await sleep(300);
  await server[Symbol.asyncDispose]();
  await sleep(300);
  const { classes } = await client.stop({ windows: [], moments: [] });
  expect(classes.new?.errors.refused).toBeGreaterThan(0);
  for (const name of ["ka", "idle", "echo"] as const) expect(classes[name]?.closed).toBe(AMOUNTS[name]);
  const { ended = 0, reset = 0, refused = 0 } = classes.slow?.errors ?? {};
  expect(ended + reset).toBe(AMOUNTS.slow);
  expect(refused).toBeGreaterThan(0);
  for (const report of Object.values(classes)) {
    if (report !== classes.echo) expect(report.successes + errorsOf(report)).toBe(report.attempts);
  }
});
