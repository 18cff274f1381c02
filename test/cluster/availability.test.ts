// SPDX-License-Identifier: Apache-2.0
// Admission while replicas restart, certificates rotate, or nobody answers, on a real cluster.
import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { RESOURCES, type KubeObject } from "@hot/kube";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { barePod, createMeanwhile, dryRun, isInjected } from "./admission-stream.ts";
import { CRD, helm, reinstall, replicas, scale, SYSTEM } from "./installed.ts";
import {
  api,
  apply,
  deployment,
  getSidecarSet,
  isReady,
  kubectl,
  namespace,
  pods,
  sidecarSet,
  unique,
  until,
} from "./kit.ts";

/** The shortest that the application takes. A leaf is replaced after 20 s, and each replica looks every 1.5 s. */
const SHORT = ["certificates.leafLifetime=30s", "certificates.authorityLifetime=1h"];

/** A SidecarSet that is observed, for the pods `app: web` of a new namespace. */
async function covered(): Promise<{ ns: string; name: string }> {
  const ns = await namespace();
  const name = unique("ha");
  apply(sidecarSet({ name, namespace: ns }));
  await until("the SidecarSet is observed", async () => (await getSidecarSet(name)).status !== undefined);
  return { ns, name };
}

/** The certificate of the authority that the replicas share; throws while there is none. */
const authority = (): string =>
  Buffer.from(
    kubectl(["get", "secret", "-n", SYSTEM, "hot-webhook-certs", "-o", "jsonpath={.data.ca\\.crt}"]),
    "base64",
  ).toString("utf8");

/** The certificate that a replica serves to the API server. */
function leafOf(host: string): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: 9443, rejectUnauthorized: false });
    socket.on("error", reject);
    socket.on("secureConnect", () => {
      const certificate = socket.getPeerX509Certificate();
      if (certificate === undefined) reject(new Error(`${host} shows no certificate`));
      else resolve(certificate);
      socket.destroy();
    });
  });
}

const leaves = async (): Promise<X509Certificate[]> =>
  Promise.all((await replicas()).map(({ status }) => leafOf((status as { podIP: string }).podIP)));

/** Resolves when both replicas serve a certificate that is not one of these, and signed by this authority if any. */
const replaced = (
  before: readonly X509Certificate[],
  what: string,
  signer?: () => string | undefined,
): Promise<X509Certificate[]> =>
  until(
    `each replica has ${what}`,
    async () => {
      const now = await leaves();
      const by = signer?.();
      const isNew = now.every((leaf) => before.every((one) => one.serialNumber !== leaf.serialNumber));
      const isSigned = signer === undefined || (by !== undefined && now.every((leaf) => isSignedBy(leaf, by)));
      return now.length === 2 && isNew && isSigned && now;
    },
    60_000,
    async () => (await leaves()).map((leaf) => leaf.toString()),
  );

const isSignedBy = (leaf: X509Certificate, pem: string): boolean => leaf.verify(new X509Certificate(pem).publicKey);

/** Resolves when the API server stores SidecarSets that are written from now on in this version. */
async function storeAs(version: "v1alpha1" | "v1beta1"): Promise<void> {
  const hash = (): unknown =>
    (
      JSON.parse(kubectl(["get", "--raw", "/apis/apps.kruise.io/v1beta1"])) as { resources: Discovered[] }
    ).resources.find(({ name }) => name === "sidecarsets")?.storageVersionHash;
  const before = hash();
  const { spec } = await api().get<Definition>(RESOURCES.customResourceDefinitions, CRD);
  const body = spec.versions.map(({ name }, at) => ({
    op: "replace",
    path: `/spec/versions/${at}/storage`,
    value: name === version,
  }));
  if (spec.versions.every(({ name, storage }) => storage === (name === version))) return;
  await api().patch(RESOURCES.customResourceDefinitions, CRD, { type: "json", body });
  await until(`${version} is stored`, () => hash() !== before, 30_000, hash);
}

interface Discovered {
  name: string;
  storageVersionHash?: string;
}

type Definition = KubeObject & { spec: { versions: { name: string; storage: boolean }[] } };

afterAll(reinstall, 180_000);

test("restarts one at a time, new certificates and a new authority cost no pod its sidecars", async () => {
  const { ns } = await covered();
  const { created, faults } = await createMeanwhile(ns, async () => {
    const values = [...SHORT, "failurePolicy=Fail"].flatMap((value) => ["--set", value]);
    await helm("upgrade", "hot", "charts/hot", "--reset-then-reuse-values", ...values);
    await until("the old replicas are gone", async () => (await replicas()).length === 2, 60_000);
    const first = await leaves();
    const second = await replaced(first, "a new certificate");
    await api().delete(RESOURCES.secrets, "hot-webhook-certs", { namespace: SYSTEM });
    await replaced([...first, ...second], "one of a new authority", () => {
      const now = authority();
      return second.every((leaf) => !isSignedBy(leaf, now)) ? now : undefined;
    });
  });
  expect(faults).toEqual([]);
  expect(created).toBeGreaterThan(50);
});

test("no replica: Fail refuses pods but not what is needed to come back, Ignore lets them start, and they are reported", async () => {
  const { ns, name } = await covered();
  onTestFinished(() => storeAs("v1beta1"));
  await storeAs("v1alpha1");
  const old = unique("old");
  apply(sidecarSet({ name: old, namespace: unique("nowhere") }));
  await until("the SidecarSet is observed", async () => (await getSidecarSet(old)).status !== undefined);
  await scale(0);
  await storeAs("v1beta1");
  await until("one is stored as v1alpha1", () => getSidecarSet(old).then(() => false, isConversion), 30_000);

  await expect(dryRun(barePod(ns))).rejects.toThrow(/failed calling webhook "pods\.hot\.internal"/u);
  await expect(dryRun(barePod(SYSTEM))).resolves.toBeDefined();
  await expect(dryRun(barePod("kube-system"))).resolves.toBeDefined();

  // What a replica would have written that was installed with `Ignore`.
  const body = [{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" }];
  await api().patch(RESOURCES.mutatingWebhookConfigurations, "hot-webhook", { type: "json", body });
  await until("a pod may be created", () => dryRun(barePod(ns)).then(() => true), 10_000);
  apply(deployment({ namespace: ns, replicas: 1 }));
  const [pod] = await until(
    "the pod starts",
    async () => ((await pods(ns)).some(isReady) ? pods(ns) : undefined),
    60_000,
  );
  expect(pod?.spec.containers.map((one) => one.name)).toEqual(["app"]);

  // None is ready, and to get the list of SidecarSets each needs a conversion by one of them.
  await reinstall();
  await until(
    "the pod is counted",
    async () => (await getSidecarSet(name)).status?.uninjectedPods === 1,
    60_000,
    async () => (await getSidecarSet(name)).status,
  );
  const reported = await until(
    "the pod is reported",
    () => reports(ns),
    30_000,
    () => reports(ns),
  );
  expect(reported).toEqual([expect.stringContaining("HOT1210")]);
  // With `Ignore` a pod may still meet a replica that is starting.
  await until("pods are injected again", async () => isInjected(await dryRun(barePod(ns))));
});

const isConversion = (error: unknown): boolean => /conversion webhook/u.test(String(error));

/** The notes of the events about pods that were not injected; undefined: none yet. */
async function reports(ns: string): Promise<string[] | undefined> {
  const { items } = await api().list<KubeObject & { reason: string; note: string }>(RESOURCES.eventsV1, {
    namespace: ns,
  });
  const notes = items.filter(({ reason }) => reason === "PodNotInjected").map(({ note }) => note);
  return notes.length > 0 ? notes : undefined;
}
