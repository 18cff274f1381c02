// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Api, connect, RESOURCES } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ApiServer, startApiServer } from "../../src/api/server.ts";
import type { Deployment } from "../../src/workload/deployment.ts";
import { startWorkloads } from "../../src/workload/start-workloads.ts";

// A loaded machine is slow, not wrong.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const namespace = "default";
const byText = (a = "", b = ""): number => a.localeCompare(b);
let dir: string;
let server: ApiServer;
let api: Api & AsyncDisposable;
let workloads: { stop(): Promise<void> };
const logged: string[] = [];

beforeEach(async () => {
  logged.length = 0;
  dir = await mkdtemp(join(tmpdir(), "hot-workload-"));
  server = await startApiServer({ dir });
  api = connect({ kubeconfig: server.kubeconfigPath });
  workloads = startWorkloads({ api, log: (line) => logged.push(line) });
});
afterEach(async () => {
  await workloads.stop();
  await api[Symbol.asyncDispose]();
  await server.stop();
  await rm(dir, { recursive: true });
});

const deployment = (replicas: number, image: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "app", image }] } },
  },
});

const podList = async (): Promise<Pod[]> => (await api.list<Pod>(RESOURCES.pods, { namespace })).items;
const get = (): Promise<Deployment> => api.get<Deployment>(RESOURCES.deployments, "web", { namespace });

/** Plays the kubelet: makes every scheduled pod ready, removes the ones being deleted; `seen` looks at each state. */
async function settle(
  done: (pods: Pod[], deployment: Deployment) => boolean,
  seen: (pods: Pod[]) => void = () => {},
): Promise<void> {
  for (;;) {
    const pods = await podList();
    seen(pods);
    if (done(pods, await get())) return;
    for (const { metadata, spec, status } of pods) {
      if (metadata.deletionTimestamp)
        await api.delete(RESOURCES.pods, metadata.name!, { namespace, gracePeriodSeconds: 0 });
      else if (spec.nodeName && !status?.conditions?.some(({ type }) => type === "Ready")) {
        const conditions = [{ type: "Ready", status: "True", lastTransitionTime: new Date().toISOString() }];
        await api.patch(
          RESOURCES.pods,
          metadata.name!,
          { type: "strategic", body: { status: { phase: "Running", conditions } } },
          { namespace, subresource: "status" },
        );
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const images = (pods: Pod[]): (string | undefined)[] => pods.map((pod) => pod.spec.containers[0]?.image);

test("a Deployment gets its pods on the node, and a truthful status", async () => {
  await api.create(RESOURCES.deployments, deployment(3, "app:1"), { namespace });
  await settle((_pods, { status }) => status?.availableReplicas === 3);
  const pods = await podList();
  expect(pods).toHaveLength(3);
  const { metadata, status } = await get();
  for (const pod of pods) {
    expect(pod.spec.nodeName).toBe("local");
    expect(pod.metadata.name).toMatch(/^web-[a-z0-9]{10}-[a-z0-9]{5}$/);
    expect(pod.metadata.labels).toMatchObject({ app: "web", "pod-template-hash": expect.any(String) });
    expect(pod.metadata.ownerReferences).toEqual([
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        name: "web",
        uid: metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
  }
  expect(status).toMatchObject({
    observedGeneration: metadata.generation,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    unavailableReplicas: 0,
    conditions: expect.arrayContaining([
      expect.objectContaining({ type: "Available", status: "True", reason: "MinimumReplicasAvailable" }),
      expect.objectContaining({ type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" }),
    ]),
  });
});

test("scaling down and up follows the wish", async () => {
  await api.create(RESOURCES.deployments, deployment(3, "app:1"), { namespace });
  await settle((_pods, { status }) => status?.availableReplicas === 3);
  for (const replicas of [1, 4, 0]) {
    await api.patch(RESOURCES.deployments, "web", { type: "merge", body: { spec: { replicas } } }, { namespace });
    await settle(
      (pods, { status }) =>
        pods.length === replicas && status?.replicas === replicas && status.availableReplicas === replicas,
    );
  }
});

test("a changed template replaces the pods one by one, never with fewer available than wished", async () => {
  await api.create(RESOURCES.deployments, deployment(3, "app:1"), { namespace });
  await settle((_pods, { status }) => status?.availableReplicas === 3);
  await api.patch(
    RESOURCES.deployments,
    "web",
    { type: "strategic", body: { spec: { template: { spec: { containers: [{ name: "app", image: "app:2" }] } } } } },
    { namespace },
  );
  let [least, most] = [3, 3];
  await settle(
    (pods, { status }) =>
      pods.length === 3 && images(pods).every((image) => image === "app:2") && status?.updatedReplicas === 3,
    (pods) => {
      const living = pods.filter(({ metadata }) => !metadata.deletionTimestamp);
      const ready = living.filter(({ status }) =>
        status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
      );
      least = Math.min(least, ready.length);
      most = Math.max(most, living.length);
    },
  );
  expect(least).toBe(3);
  expect(most).toBe(4);
});

test("a pod that is deleted is made again; a deleted Deployment takes its pods along", async () => {
  await api.create(RESOURCES.deployments, deployment(2, "app:1"), { namespace });
  await settle((_pods, { status }) => status?.availableReplicas === 2);
  const [first] = await podList();
  await api.delete(RESOURCES.pods, first!.metadata.name!, { namespace, gracePeriodSeconds: 0 });
  await settle(
    (pods, { status }) =>
      pods.length === 2 &&
      !pods.some(({ metadata }) => metadata.uid === first!.metadata.uid) &&
      status?.availableReplicas === 2,
  );
  const before = await podList();
  await api.delete(RESOURCES.deployments, "web", { namespace });
  await expect
    .poll(async () => (await podList()).every(({ metadata }) => metadata.deletionTimestamp !== undefined), {
      timeout: 30_000,
    })
    .toBe(true);
  expect((await podList()).map(({ metadata }) => metadata.uid).toSorted(byText)).toEqual(
    before.map(({ metadata }) => metadata.uid).toSorted(byText),
  );
});

test("pods that are refused are reported in the status and tried again", async () => {
  await api.create(RESOURCES.mutatingWebhookConfigurations, {
    metadata: { name: "down" },
    webhooks: [
      {
        name: "down.example.com",
        clientConfig: { url: "https://127.0.0.1:1/" },
        rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      },
    ],
  });
  await api.create(RESOURCES.deployments, deployment(1, "app:1"), { namespace });
  const failure = async () => (await get()).status?.conditions?.find(({ type }) => type === "ReplicaFailure");
  await expect
    .poll(failure, { timeout: 30_000 })
    .toMatchObject({ status: "True", reason: "FailedCreate", message: expect.stringContaining("down.example.com") });
  await api.delete(RESOURCES.mutatingWebhookConfigurations, "down");
  await settle(
    (_pods, { status }) =>
      status?.availableReplicas === 1 && !status.conditions?.some(({ type }) => type === "ReplicaFailure"),
  );
});
