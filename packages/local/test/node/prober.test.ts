// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { ContainerStatus, Probe } from "@hot/spec";
import type { HandlerResult } from "../../src/node/handler.ts";
import { Prober } from "../../src/node/prober.ts";
import type { ProbeKind } from "../../src/node/probe.ts";
import { timestamp } from "../../src/node/timestamp.ts";
import { createFakeClock } from "@hot/kube/testing";

const FAILURE: HandlerResult = { outcome: "failure", message: "no" };

function start(kind: ProbeKind, probe: Probe) {
  const clock = createFakeClock();
  const events: string[] = [];
  const begin = clock.now();
  const subject = {
    clock,
    events,
    reported: undefined as ContainerStatus | undefined,
    answer: (): Promise<HandlerResult> => Promise.resolve({ outcome: "success" }),
    prober: undefined as unknown as Prober,
    show: (id: string, more: Partial<ContainerStatus> = {}): void => {
      const state = { running: { startedAt: timestamp(clock.now()) } };
      subject.reported = {
        name: "x",
        image: "",
        imageID: "",
        containerID: id,
        ready: false,
        started: true,
        restartCount: 0,
        state,
        ...more,
      };
      subject.prober.wake();
    },
  };
  subject.prober = new Prober({
    kind,
    probe,
    container: { name: "x" },
    clock,
    reported: () => subject.reported,
    attempt: (id) => {
      events.push(`${(clock.now() - begin) / 1000} ${id}`);
      return subject.answer();
    },
    onVerdict: (id, verdict) => events.push(`${id} ${verdict}`),
  });
  return subject;
}

test("at once when an instance is reported, then each period; a verdict is told once", async () => {
  const subject = start("readiness", { periodSeconds: 5 });
  await subject.clock.advance(3000);
  expect(subject.events).toEqual([]); // nothing to probe
  subject.show("a");
  await subject.clock.advance(12_000);
  expect(subject.events).toEqual(["3 a", "a true", "8 a", "13 a"]);
});

test("after the initial delay", async () => {
  const subject = start("readiness", { periodSeconds: 5, initialDelaySeconds: 7 });
  subject.show("a");
  await subject.clock.advance(12_000);
  expect(subject.events).toEqual(["7 a", "a true", "12 a"]);
});

test("a new instance begins anew, and the answer about the old one that comes late says nothing", async () => {
  const subject = start("readiness", { periodSeconds: 5, failureThreshold: 1 });
  const late = Promise.withResolvers<HandlerResult>();
  subject.answer = () => late.promise;
  subject.show("a");
  await subject.clock.advance(1000);
  subject.answer = () => Promise.resolve({ outcome: "success" });
  subject.show("b");
  expect(subject.prober.verdict("b")).toBe(false);
  late.resolve(FAILURE);
  await subject.clock.advance(1000);
  expect(subject.events).toEqual(["0 a", "1 b", "b true"]);
  expect(subject.prober.verdict("a")).toBe(false);
});

test("an attempt that could not be made changes nothing", async () => {
  const subject = start("readiness", { periodSeconds: 1, failureThreshold: 1 });
  subject.show("a");
  await subject.clock.advance(500);
  subject.answer = () => Promise.resolve({ outcome: "error", message: "the container is not running" });
  await subject.clock.advance(5000);
  expect(subject.events.filter((event) => event.startsWith("a"))).toEqual(["a true"]);
  expect(subject.prober.verdict("a")).toBe(true);
});

test("a liveness probe waits for started, and stops once it has failed", async () => {
  const subject = start("liveness", { periodSeconds: 1, failureThreshold: 2 });
  subject.answer = () => Promise.resolve(FAILURE);
  subject.show("a", { started: false });
  await subject.clock.advance(3000);
  expect(subject.events).toEqual([]);
  subject.show("a");
  await subject.clock.advance(10_000);
  expect(subject.events).toEqual(["3 a", "4 a", "a false"]);
});

test("nothing runs after stop", async () => {
  const subject = start("readiness", { periodSeconds: 1 });
  subject.show("a");
  subject.prober.stop();
  await subject.clock.advance(10_000);
  expect(subject.events).toEqual([]);
});
