// SPDX-License-Identifier: Apache-2.0
import type { Clock } from "@hot/kube";
import { sidecarSetCrd } from "@hot/spec";
import { expect, test } from "vitest";
import { nextCertificates, type Certificates } from "../src/certs/serving.ts";
import { createLog } from "../src/log.ts";
import { createRegistration, type Registration } from "../src/registration.ts";
import { createFakeApi, listed, type FakeApi } from "./fake-api.ts";

const CRD = { metadata: { name: "sidecarsets.apps.kruise.io" }, spec: {} };
const DAY = 24 * 3600 * 1000;

/** Time that stands still until the test moves it on to whatever is waited for next, or by `atLeast` milliseconds. */
function manualClock(start: number): Clock & { next(atLeast?: number): Promise<number> } {
  let now = start;
  const timers = new Set<{ at: number; fn: () => void }>();
  return {
    now: () => now,
    after: (ms, fn) => {
      const timer = { at: now + ms, fn };
      timers.add(timer);
      return { [Symbol.dispose]: () => void timers.delete(timer) };
    },
    next: async (atLeast = 0) => {
      while (timers.size === 0) await new Promise((resolve) => setImmediate(resolve));
      const [timer] = [...timers].sort((a, b) => a.at - b.at);
      const waited = timer!.at - now;
      now = Math.max(timer!.at, now + atLeast);
      timers.delete(timer!);
      timer!.fn();
      return waited;
    },
  };
}

interface Setup {
  api: FakeApi;
  clock: ReturnType<typeof manualClock>;
  registration: Registration;
  served: Certificates[];
  errors: string[];
}

async function setup(api: FakeApi, sidecarSets = listed): Promise<Setup> {
  const clock = manualClock(Date.parse("2026-01-02T03:04:05Z"));
  const served: Certificates[] = [];
  const errors: string[] = [];
  const certificates = await nextCertificates({ api, namespace: "hot-system", now: new Date(clock.now()) }, undefined);
  const registration = createRegistration({
    api,
    namespace: "hot-system",
    installation: "",
    failurePolicy: "Ignore",
    sidecarSets,
    certificates,
    next: (present) => nextCertificates({ api, namespace: "hot-system", now: new Date(clock.now()) }, present),
    clock,
    log: createLog("warn", (line) => {
      const { err, code } = JSON.parse(line) as { err?: { message: string }; code?: string };
      errors.push(err?.message ?? code ?? line);
    }),
    serve: (next) => {
      // The API server trusts the authority before anything is served under it.
      const { webhooks } = api.object("mutatingwebhookconfigurations", "hot-webhook") as {
        webhooks: { clientConfig: { caBundle: string } }[];
      };
      expect(Buffer.from(webhooks[0]!.clientConfig.caBundle, "base64").toString()).toBe(next.caBundle);
      served.push(next);
    },
  });
  return { api, clock, registration, served, errors };
}

test("waits for the CustomResourceDefinition, says so once, and registers as soon as it is there", async () => {
  const { api, clock, registration, errors } = await setup(createFakeApi());
  const stop = new AbortController();
  const running = registration.run(stop.signal);
  const waits = [await clock.next(), await clock.next(), await clock.next()];
  expect(waits).toEqual([500, 1000, 2000]);
  expect(registration.registered()).toBe(false);
  expect(errors).toEqual([expect.stringContaining("HOT5002")]);

  api.put("customresourcedefinitions", CRD);
  await clock.next();
  while (!registration.registered()) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await running;
});

/** The chart's definition; in `version` without hotUpgrade, as Kruise has it. */
function definition(version?: string): object {
  const crd = structuredClone(sidecarSetCrd());
  for (const { name, schema } of crd.spec.versions) {
    const { properties } = schema.openAPIV3Schema.properties!["spec"]!.properties!["updateStrategy"]!;
    expect(Object.keys(properties!)).toContain("hotUpgrade");
    if (name === version) delete properties!["hotUpgrade"];
  }
  return crd;
}

test.each([
  ["that prunes hotUpgrade in one version is told once", definition("v1alpha1"), ["HOT5003"]],
  ["of the chart has all that is used", definition(), []],
])("a CustomResourceDefinition %s", async (_, crd, told) => {
  const api = createFakeApi();
  api.put("customresourcedefinitions", crd);
  const { clock, registration, errors } = await setup(api);
  const stop = new AbortController();
  const running = registration.run(stop.signal);
  for (let looks = 0; looks < 3; looks++) await clock.next();
  expect(registration.registered()).toBe(true);
  expect(errors).toEqual(told);
  stop.abort();
  await running;
});

test("over a year with an end of the authority in it: leaves never end, trust comes first, nothing is written in vain", async () => {
  const api = createFakeApi();
  api.put("customresourcedefinitions", CRD);
  const { clock, registration, served } = await setup(api);
  const stop = new AbortController();
  const running = registration.run(stop.signal);
  const start = clock.now();
  let end = start + 7 * DAY;
  while (clock.now() < start + 330 * DAY) {
    // Once a day is rarer than in truth, and must be enough.
    await clock.next(DAY);
    end = served.at(-1)?.notAfter.getTime() ?? end;
    expect(clock.now()).toBeLessThan(end);
  }
  stop.abort();
  await running;
  expect(new Set(served.map(({ authority }) => authority.certPem)).size).toBe(2);
  expect(api.writes).toEqual([
    "create secrets/hot-webhook-certs",
    "patch customresourcedefinitions/sidecarsets.apps.kruise.io",
    "create mutatingwebhookconfigurations/hot-webhook",
    "create validatingwebhookconfigurations/hot-webhook",
    "update secrets/hot-webhook-certs",
    "patch customresourcedefinitions/sidecarsets.apps.kruise.io",
    "update mutatingwebhookconfigurations/hot-webhook",
    "update validatingwebhookconfigurations/hot-webhook",
  ]);
}, 60_000);

test("a replica that gets no list of SidecarSets asks for conversion by replicas that are not ready, until it has one", async () => {
  const api = createFakeApi();
  api.put("customresourcedefinitions", CRD);
  let synced = false;
  const { clock, registration } = await setup(api, {
    synced: () => synced,
    waitForSync: () => new Promise<void>(() => undefined),
  });
  const converting = (): unknown =>
    (
      api.object("customresourcedefinitions", CRD.metadata.name) as {
        spec: { conversion?: { webhook: { clientConfig: { service: { name: string } } } } };
      }
    ).spec.conversion?.webhook.clientConfig.service.name;
  const stop = new AbortController();
  const running = registration.run(stop.signal);
  const names = [converting()];
  expect(await clock.next()).toBe(3_000);
  while (!registration.registered()) await new Promise((resolve) => setImmediate(resolve));
  names.push(converting());
  synced = true;
  expect(await clock.next()).toBe(600_000);
  await expect.poll(converting).not.toBe(names[1]);
  names.push(converting());
  stop.abort();
  await running;
  expect(names).toEqual([undefined, "hot-webhook-conversion", "hot-webhook"]);
});
