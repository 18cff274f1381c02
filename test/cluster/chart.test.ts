// SPDX-License-Identifier: Apache-2.0
// The end of an installation and the beginning of the next, on a real cluster with pods that go on running.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RESOURCES, type KubeObject } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { afterAll, expect, test } from "vitest";
import { SIDECAR_SETS } from "../../apps/demo/src/fleet.ts";
import { barePod, dryRun, isInjected } from "./admission-stream.ts";
import { CRD, helm, reinstall, replicas, SYSTEM } from "./installed.ts";
import {
  api,
  apply,
  deployment,
  getSidecarSet,
  image,
  injected,
  isReady,
  kubectl,
  losses,
  namespace,
  pods,
  setVersion,
  sidecarSet,
  startLoad,
  unique,
  until,
  waitReady,
} from "./kit.ts";
import { pairState } from "./pair-state.ts";

const CONFIGURATIONS = "mutatingwebhookconfiguration,validatingwebhookconfiguration";
const json = (...args: string[]): unknown => JSON.parse(kubectl([...args, "-o", "json"]));

interface Configuration {
  webhooks: { name: string; clientConfig: { caBundle: string } }[];
}

/** The authorities that the API server trusts, in each place where it calls us. */
function trusted(): string[] {
  const configurations = ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"].flatMap(
    (kind) => (json("get", kind, "hot-webhook") as Configuration).webhooks,
  );
  const { spec } = json("get", "crd", CRD) as { spec: { conversion: { webhook: Configuration["webhooks"][number] } } };
  return [...configurations, spec.conversion.webhook].map(({ clientConfig }) => clientConfig.caBundle);
}

const authority = (): string =>
  (json("get", "secret", "-n", SYSTEM, "hot-webhook-certs") as { data: Record<string, string> }).data["ca.crt"] ?? "";

const digest = (base64: string): string =>
  createHash("sha256").update(Buffer.from(base64, "base64").toString("utf8").trim()).digest("hex");

/** Two replicas ready, neither restarted, and one authority, trusted everywhere. */
async function expectInstalled(): Promise<void> {
  const found = await replicas();
  expect(found.map(isReady)).toEqual([true, true]);
  expect(found.map(({ status }) => status?.containerStatuses?.[0]?.restartCount)).toEqual([0, 0]);
  const bundles = trusted();
  expect(bundles.map(digest)).toEqual(bundles.map(() => digest(authority())));
}

/** Each container of each pod, as it was started. */
const containers = (found: readonly Pod[]): unknown =>
  found.map(({ metadata, status }) => [metadata.uid, status?.containerStatuses?.map(({ containerID }) => containerID)]);

/** Writes SidecarSets, for which the webhooks fail closed, as long as `meanwhile` takes; returns what was refused. */
async function writeMeanwhile(meanwhile: () => Promise<void>): Promise<{ written: number; refused: string[] }> {
  const result = { written: 0, refused: [] as string[] };
  const template = sidecarSet({ name: unique("later"), namespace: unique("nowhere") }) as KubeObject;
  const over = new AbortController();
  const writing = (async () => {
    while (!over.signal.aborted) {
      const set = { ...template, metadata: { name: unique("later") } };
      await api()
        .create(SIDECAR_SETS, set, { dryRun: true })
        .then(() => result.written++)
        .catch((error: unknown) => result.refused.push(String(error)));
      await sleep(50);
    }
  })();
  await meanwhile().finally(() => over.abort());
  await writing;
  return result;
}

afterAll(reinstall, 180_000);

test("an uninstall leaves pods, SidecarSets and the API alone; two replicas that start at once take all of it over", async () => {
  const ns = await namespace();
  const name = unique("chart");
  const fleet = await injected({ name, namespace: ns }, 2);
  waitReady(name);
  const before = containers(await pods(ns));
  const load = startLoad(fleet);

  const { written, refused } = await writeMeanwhile(() => helm("uninstall", "hot"));
  expect(refused.slice(0, 3)).toEqual([]);
  expect(written).toBeGreaterThan(0);
  expect(kubectl(["get", CONFIGURATIONS, "-o", "name"])).not.toContain("hot-webhook");
  await until("the replicas are gone", async () => (await replicas()).length === 0, 60_000);
  // Both versions, with nobody who converts.
  for (const version of ["v1alpha1", "v1beta1"]) {
    expect(kubectl(["get", `sidecarsets.${version}.apps.kruise.io`, name, "-o", "name"])).toContain(name);
  }
  apply(deployment({ name: "later", namespace: ns, replicas: 1, app: "later" }));
  const later = await until(
    "a pod starts",
    async () => (await pods(ns)).filter(isReady)[2] && (await pods(ns)),
    60_000,
  );
  kubectl(["delete", "deployment", "later", "-n", ns, "--cascade=foreground", "--timeout=60s"]);
  expect(later).toHaveLength(3);
  expect(containers(await pods(ns))).toEqual(before);

  // Without these a start is the first one: who makes the authority, and who leads, is not decided yet.
  await api().delete(RESOURCES.secrets, "hot-webhook-certs", { namespace: SYSTEM });
  await api().delete(RESOURCES.leases, "hot-controller", { namespace: SYSTEM });
  await reinstall();
  await expectInstalled();
  expect(isInjected(await dryRun(barePod(ns)))).toBe(true);
  expect(containers(await pods(ns))).toEqual(before);
  expect((await getSidecarSet(name)).status).toMatchObject({ matchedPods: 2, updatedReadyPods: 2 });
  await setVersion(name, "v2");
  waitReady(name);
  for (const pod of await pods(ns)) expect(pairState(pod)).toMatchObject({ working: "sidecar-2" });
  for (const pod of await pods(ns)) expect(pairState(pod).images).toContain(image("v2"));
  expect(losses(await load.stop())).toEqual([]);
});
