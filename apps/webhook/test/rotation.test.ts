// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from "node:crypto";
import type { Api } from "@hot/kube";
import { RESOURCES } from "@hot/kube";
import { createFakeClock, FakeApi, type FakeClock } from "@hot/kube/testing";
import { describe, expect, test } from "vitest";
import type { Lifetimes } from "../src/certs/lifetimes.ts";
import { nextCertificates, type Certificates } from "../src/certs/serving.ts";
import { createLog } from "../src/log.ts";
import { createRegistration, type Registration } from "../src/registration.ts";
import { uninstall } from "../src/uninstall.ts";
import { listed } from "./fake-api.ts";

const namespace = "hot-system";
const CRD = "sidecarsets.apps.kruise.io";
/** Short, so that many rotations of both fit into a test: a new leaf each 40 s, a new authority each 5 min. */
const LIFETIMES: Lifetimes = { leafMs: 60_000, authorityMs: 360_000 };
/** How long an API server may be behind what was written. */
const LAG_MS = 2_000;

interface Configuration {
  webhooks: { clientConfig: { caBundle: string } }[];
}

/** API servers that call two replicas all the time, some of them with what was written `LAG_MS` ago. */
class Simulation {
  readonly clock: FakeClock = createFakeClock();
  readonly api = new FakeApi({ clock: this.clock });
  readonly failures: string[] = [];
  readonly errors: string[] = [];
  readonly authorities = new Set<string>();
  readonly leaves = new Set<string>();
  readonly #bundles: { at: number; bundle: string | undefined }[] = [];
  readonly #replicas: {
    name: string;
    serving: () => Certificates;
    registration: Registration;
    stop: () => Promise<void>;
  }[] = [];

  readonly lifetimes: Lifetimes;

  constructor(lifetimes: Lifetimes = LIFETIMES) {
    this.lifetimes = lifetimes;
    this.api.seed(RESOURCES.namespaces, { metadata: { name: namespace } });
    this.api.seed(RESOURCES.customResourceDefinitions, { metadata: { name: CRD }, spec: {} });
  }

  async start(
    name: string,
    { api = this.api, installation = "sa-1" }: { api?: Api; installation?: string } = {},
  ): Promise<() => Promise<void>> {
    const { clock, lifetimes } = this;
    const next = (present?: Certificates): Promise<Certificates> =>
      nextCertificates({ api, namespace, lifetimes, now: new Date(clock.now()) }, present);
    let serving = await next();
    const registration = createRegistration({
      api,
      namespace,
      installation,
      leafMs: lifetimes.leafMs,
      failurePolicy: "Fail",
      sidecarSets: listed,
      certificates: serving,
      next,
      serve: (certificates) => {
        serving = certificates;
      },
      clock,
      log: createLog("error", (line) => this.errors.push(line)),
    });
    const abort = new AbortController();
    const running = registration.run(abort.signal);
    const stop = async (): Promise<void> => {
      abort.abort();
      await running;
      this.#replicas.splice(
        this.#replicas.findIndex((one) => one.stop === stop),
        1,
      );
    };
    this.#replicas.push({ name, serving: () => serving, registration, stop });
    return stop;
  }

  async pass(ms: number, stepMs = 500): Promise<void> {
    for (let end = this.clock.now() + ms; this.clock.now() < end;) {
      await this.clock.advance(stepMs);
      // Certificates are made by the thread pool, which no clock waits for.
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 1));
      await this.#look();
    }
  }

  async bundle(): Promise<string | undefined> {
    const { items } = await this.api.list<Configuration>(RESOURCES.mutatingWebhookConfigurations);
    const text = items[0]?.webhooks[0]?.clientConfig.caBundle;
    return text === undefined ? undefined : Buffer.from(text, "base64").toString();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#replicas.map((one) => one.stop()));
  }

  async #look(): Promise<void> {
    const now = this.clock.now();
    this.#bundles.push({ at: now, bundle: await this.bundle() });
    const seen = this.#bundles.filter(({ at }) => at >= now - LAG_MS);
    this.#bundles.splice(0, this.#bundles.length - seen.length);
    for (const { name, serving, registration } of this.#replicas) {
      const { serving: served, authority } = serving();
      this.leaves.add(served.certPem);
      this.authorities.add(authority.certPem);
      // The Service sends nothing to one that is not ready.
      if (!registration.registered()) continue;
      const leaf = new X509Certificate(served.certPem);
      if (leaf.validToDate.getTime() <= now) this.failures.push(`${name}: the certificate has run out`);
      for (const { bundle } of seen) {
        if (bundle !== undefined && !trusts(bundle, leaf)) this.failures.push(`${name} at ${now}: not trusted`);
      }
    }
  }
}

function trusts(bundle: string, leaf: X509Certificate): boolean {
  const pems = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return pems.map((pem) => new X509Certificate(pem)).some((one) => leaf.checkIssued(one) && leaf.verify(one.publicKey));
}

/** The same API for another replica, whose calls can be held. */
function bound(api: FakeApi): Api {
  return {
    get: api.get.bind(api),
    list: api.list.bind(api),
    watch: api.watch.bind(api),
    create: api.create.bind(api),
    update: api.update.bind(api),
    patch: api.patch.bind(api),
    delete: api.delete.bind(api),
  };
}

const configurations = (api: FakeApi): Promise<number> =>
  api.list(RESOURCES.mutatingWebhookConfigurations).then(({ items }) => items.length);

describe("two replicas and API servers that are behind", () => {
  test("start at once on an empty cluster: one authority, no error, both trusted", async () => {
    const world = new Simulation();
    await Promise.all([world.start("a"), world.start("b")]);
    await world.pass(10_000);
    expect(world.authorities.size).toBe(1);
    expect([...world.failures, ...world.errors]).toEqual([]);
    expect(trusts((await world.bundle()) ?? "", new X509Certificate([...world.leaves][0]!))).toBe(true);
    await world.stop();
  });

  test("through many rotations of leaf and authority no call fails, with restarts in between", async () => {
    const world = new Simulation();
    await world.start("a");
    let stop = await world.start("b");
    for (let round = 0; round < 12; round++) {
      await world.pass(70_000 + round * 1_000, 1_000);
      await stop();
      await world.pass(round * 500);
      stop = await world.start(`b${round}`);
    }
    expect([...world.failures, ...world.errors]).toEqual([]);
    expect(world.authorities.size).toBeGreaterThanOrEqual(3);
    expect(world.leaves.size).toBeGreaterThan(20);
    await world.stop();
  }, 60_000);

  test("one that starts right after another has made the API servers trust a new authority waits for the slow ones", async () => {
    const world = new Simulation();
    await world.start("a");
    await world.pass(5_000);
    const before = await world.bundle();
    while ((await world.bundle()) === before) await world.pass(500);
    await world.start("b");
    await world.pass(10_000);
    expect(world.authorities.size).toBe(2);
    expect([...world.failures, ...world.errors]).toEqual([]);
    await world.stop();
  }, 60_000);

  test("one that wrote what it had read before the other made a new authority corrects itself at once", async () => {
    // Replicas look every 30 s, and a new authority is served under 10 s after it was written.
    const world = new Simulation({ leafMs: 600_000, authorityMs: 2_400_000 });
    const late = bound(world.api);
    /** Held between reading the Secret and writing the configuration. */
    let hold: Promise<void> | undefined;
    late.get = async <T>(...call: Parameters<Api["get"]>): Promise<T> => {
      const isConfiguration = call[0].plural === "mutatingwebhookconfigurations";
      if (isConfiguration) await hold;
      return world.api.get<T>(...call);
    };
    await world.start("a");
    await world.start("late", { api: late });
    const start = world.clock.now();
    await world.pass(1_769_000, 29_000);
    // The authority is replaced at 1800 s, and "late" is in the middle of its look of 1770 s then.
    const held = Promise.withResolvers<void>();
    hold = held.promise;
    const authority = async (): Promise<object> => world.api.get(RESOURCES.secrets, "hot-webhook-certs", { namespace });
    const before = JSON.stringify(await authority());
    while (JSON.stringify(await authority()) === before) await world.pass(500);
    expect(world.clock.now()).toBeGreaterThanOrEqual(start + 1_800_000);
    hold = undefined;
    held.resolve();
    await world.pass(30_000);
    expect(world.authorities.size).toBe(2);
    expect([...world.failures, ...world.errors]).toEqual([]);
    await world.stop();
  }, 60_000);

  test("the Secret is deleted: a new authority is made, and no call fails", async () => {
    const world = new Simulation();
    await world.start("a");
    await world.start("b");
    await world.pass(5_000);
    await world.api.delete(RESOURCES.secrets, "hot-webhook-certs", { namespace });
    await world.pass(60_000);
    expect(world.authorities.size).toBe(2);
    expect([...world.failures, ...world.errors]).toEqual([]);
    await world.stop();
  });
});

describe("uninstall while replicas run", () => {
  test("nothing is registered again, by old replicas or ones that are restarted; the next installation does", async () => {
    const world = new Simulation();
    await world.start("a");
    await world.start("b");
    await world.pass(5_000);
    await uninstall({ api: world.api, namespace, installation: "sa-1", revertConversion: false });
    await world.start("c");
    await world.pass(30_000);
    expect(await configurations(world.api)).toBe(0);
    await world.stop();
    await world.start("d", { installation: "sa-2" });
    await world.pass(15_000);
    expect(await configurations(world.api)).toBe(1);
    expect([...world.failures, ...world.errors]).toEqual([]);
    await world.stop();
  });

  test("a replica that had looked for the mark already takes back what it creates", async () => {
    const world = new Simulation();
    const held = world.api.faults.holdNext({ verb: "create", plural: "mutatingwebhookconfigurations" });
    await world.start("a");
    await world.pass(500);
    await held.reached;
    await uninstall({ api: world.api, namespace, installation: "sa-1", revertConversion: false });
    held.release();
    await world.pass(10_000);
    expect(await configurations(world.api)).toBe(0);
    await world.stop();
  });

  test("configurations that somebody deleted by hand come back", async () => {
    const world = new Simulation();
    await world.start("a");
    await world.pass(2_000);
    await world.api.delete(RESOURCES.mutatingWebhookConfigurations, "hot-webhook");
    await world.pass(10_000);
    expect(await configurations(world.api)).toBe(1);
    await world.stop();
  });
});
