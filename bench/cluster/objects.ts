// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RESOURCES, type Api, type KubeObject } from "@hot/kube";
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  pairNames,
  type Pod,
} from "@hot/spec";
import { SIDECAR_SETS } from "../../apps/demo/src/fleet.ts";

export const BASE = "sidecar";
export const EMPTY = "localhost/hot/standby:v1";
export const image = (version: string): string => `localhost/hot/sidecar-demo:${version}`;
/** A pod belongs to one run. */
export const RUN_LABEL = "bench-run";

/** The two namespaces of a bench: pods of `injected` go through the webhook, those of `excluded` are never sent to it. */
export interface Namespaces {
  readonly injected: string;
  readonly excluded: string;
}

export async function createNamespaces(api: Api): Promise<Namespaces & AsyncDisposable> {
  const suffix = randomBytes(3).toString("hex");
  const names = { injected: `bench-${suffix}`, excluded: `bench-${suffix}-excluded` };
  const create = (name: string, labels: Record<string, string>): Promise<KubeObject> =>
    api.create(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
  await create(names.injected, {});
  await create(names.excluded, { "hot.internal/injection": "disabled" });
  return {
    ...names,
    async [Symbol.asyncDispose]() {
      for (const name of Object.values(names)) await api.delete(RESOURCES.namespaces, name);
    },
  };
}

/** A SidecarSet with one hot container for the pods of one namespace that have the label of this run. */
export async function createSidecarSet(api: Api, name: string, namespace: string): Promise<AsyncDisposable> {
  const standby = (mode: string, ...rest: string[]): object => ({
    exec: { command: ["/hot-standby", mode, "--name", BASE, ...rest] },
  });
  await api.create(SIDECAR_SETS, {
    apiVersion: "apps.kruise.io/v1beta1",
    kind: "SidecarSet",
    metadata: { name },
    spec: {
      selector: { matchLabels: { [RUN_LABEL]: name } },
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
      updateStrategy: { type: "RollingUpdate", maxUnavailable: "100%" },
      containers: [
        {
          name: BASE,
          image: image("v1"),
          imagePullPolicy: "IfNotPresent",
          lifecycle: { postStart: standby("migrate", "--timeout", "30") },
          readinessProbe: { ...standby("probe"), periodSeconds: 1 },
          upgradeStrategy: { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: EMPTY },
        },
      ],
    },
  });
  await untilInjected(api, name, namespace);
  return {
    async [Symbol.asyncDispose]() {
      await api.delete(SIDECAR_SETS, name);
    },
  };
}

const IN_A_ROW = 8;
const LIMIT_MS = 30_000;

/** Every replica of the webhook knows a new SidecarSet after a moment of its own; nobody tells which one answers. */
async function untilInjected(api: Api, run: string, namespace: string): Promise<void> {
  for (let injected = 0; injected < IN_A_ROW; injected += 1) {
    await injectedPod(api, applicationPod(run, namespace, "first"));
  }
}

/** What the webhook makes of a pod that belongs to a SidecarSet. Nothing is created. */
async function injectedPod(api: Api, asked: Pod): Promise<Pod> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    const pod = await api.create<Pod & KubeObject>(RESOURCES.pods, asked, { dryRun: true });
    if (isInjected(pod)) return pod;
    if (performance.now() > end) throw new Error(`${asked.metadata.name} gets no sidecar; is the webhook reachable?`);
    await sleep(50);
  }
}

export function isInjected({ spec }: Pod): boolean {
  const names = new Set(spec.containers.map((one) => one.name));
  return pairNames(BASE).every((name) => names.has(name));
}

/** A pod whose application does nothing: an upgrade must not touch it anyway. `token`: of its service account. */
export function applicationPod(run: string, namespace: string, name: string, token = false): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { [RUN_LABEL]: run } },
    spec: {
      automountServiceAccountToken: token,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "app", image: EMPTY, imagePullPolicy: "IfNotPresent" }],
    },
  };
}

/**
 * What the webhook makes of a pod, for a namespace that it does not serve: the same containers, env and annotations,
 * and no sign of a SidecarSet, so that no controller looks after it.
 */
export async function strayPod(
  api: Api,
  run: string,
  namespaces: Namespaces,
  name: string,
  token = false,
): Promise<Pod> {
  const { metadata, spec } = await injectedPod(api, applicationPod(run, namespaces.injected, name, token));
  const annotations = { ...metadata.annotations };
  for (const key of [HASH_ANNOTATION, HASH_WITHOUT_IMAGE_ANNOTATION, INJECTED_LIST_ANNOTATION]) {
    delete annotations[key];
  }
  const labels = { [RUN_LABEL]: `${run}-stray` };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: namespaces.excluded, labels, annotations },
    spec,
  };
}
