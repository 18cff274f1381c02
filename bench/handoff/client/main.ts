// SPDX-License-Identifier: Apache-2.0
// The load client: a process of its own, so that what it does to itself is not the server's fault, and is counted.
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClassReport } from "../accounting/account.ts";
import type { Window } from "../accounting/windows.ts";
import { now } from "./clock.ts";
import { Datagrams } from "./datagrams.ts";
import { Echo } from "./echo.ts";
import { Fresh } from "./fresh.ts";
import { Kept, type Visits } from "./kept.ts";
import { Sessions } from "./sessions.ts";
import type { Amounts, ClassName, Ports, Traffic } from "./traffic.ts";

export interface Order {
  readonly ports: Ports;
  readonly amounts: Amounts;
}

export interface Ending {
  readonly windows: readonly Window[];
  /** Of which the time to recovery is asked. */
  readonly moments: readonly number[];
}

export interface LoadReport {
  readonly classes: Partial<Record<ClassName, ClassReport>>;
  readonly seconds: number;
  /** Share of the time in which the client's thread was busy: at 1 it would be the bottleneck. */
  readonly clientBusy: number;
  /** Delay of the client's own timers, in ms: a latency below it says nothing. */
  readonly clientDelayMs: { readonly p99: number; readonly max: number };
}

const WARM_MS = 30_000;
const KILOBYTE = "x".repeat(1_000);
const post: Visits = {
  thinkMs: 20,
  ask: (client, count) => {
    const body = `${client}-${count} ${KILOBYTE}`;
    return {
      request: `POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      expected: body,
    };
  },
};
const rarely: Visits = {
  thinkMs: 2_000,
  ask: () => ({ request: "GET / HTTP/1.1\r\nHost: bench\r\n\r\n", expected: "hello\n" }),
};
const slow: Visits = {
  thinkMs: 10,
  once: true,
  ask: () => ({
    request: "GET /slow HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n",
    expected: Array.from({ length: 60 }, (_, part) => `part ${String(part).padStart(2, "0")}\n`).join(""),
  }),
};

const order = JSON.parse(process.argv[2] ?? "") as Order;
const { ports, amounts } = order;
const begin: Record<ClassName, () => Traffic> = {
  new: () => new Fresh(ports.http, amounts.new),
  ka: () => new Kept(ports.http, amounts.ka, post),
  idle: () => new Kept(ports.http, amounts.idle, rarely),
  echo: () => new Echo(ports.http, amounts.echo),
  slow: () => new Kept(ports.http, amounts.slow, slow),
  udp: () => new Datagrams(ports.udp, amounts.udp),
  tls: () => new Sessions(ports.tls, amounts.tls),
};
const names = (Object.keys(begin) as ClassName[]).filter((name) => amounts[name] > 0);
const running = names.map((name) => ({ name, traffic: begin[name]() }));
const start = now();
const utilization = performance.eventLoopUtilization();
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
// A server takes in connections one by one; upgrades begin when all that are kept are there.
for (const end = now() + WARM_MS; now() < end && !running.every(({ traffic }) => traffic.warm);) await sleep(20);
process.send?.({ running: names });

// Whether all is told or the bench is gone: nobody listens any more.
process.once("disconnect", () => process.exit(0));
process.once("message", (ending: Ending) => {
  void (async () => {
    const seconds = (now() - start) / 1000;
    const { utilization: clientBusy } = performance.eventLoopUtilization(utilization);
    delay.disable();
    await Promise.all(running.map(async ({ traffic }) => traffic.stop()));
    const classes = running.map(({ name, traffic: { account } }) => [
      name,
      account.report(ending.windows, ending.moments),
    ]);
    const report: LoadReport = {
      classes: Object.fromEntries(classes) as LoadReport["classes"],
      seconds,
      clientBusy,
      clientDelayMs: { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 },
    };
    process.send?.(report);
    await sleep(20);
    process.disconnect();
  })();
});
