// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RESOURCES, type Api, type KubeObject } from "@hot/kube";
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  pairNames,
  type Container,
  type Pod,
} from "@hot/spec";
import { SIDECAR_SETS } from "../../apps/demo/src/fleet.ts";

export const BASE = "sidecar";
export const EMPTY = "localhost/hot/standby:v1";
export const image = (version: string): string => `localhost/hot/sidecar-demo:${version}`;
/** A pod belongs to one run. */
export const RUN_LABEL = "bench-run";

/** The namespaces of a bench. Only the pods of `injected` go through the application's webhook. */
export interface Namespaces {
  readonly injected: string;
  readonly excluded: string;
  /** Pods are sent to a webhook that answers at once and changes nothing. */
  readonly asked: string;
  /** Pods are sent to a webhook that answers at once with an injection that it has ready. */
  readonly readyMade: string;
}

export async function createNamespaces(api: Api): Promise<Namespaces & AsyncDisposable> {
  const injected = `bench-${randomBytes(3).toString("hex")}`;
  const of = (what: string): string => `${injected}-${what}`;
  const names = { injected, excluded: of("excluded"), asked: of("asked"), readyMade: of("ready-made") };
  for (const name of Object.values(names)) {
    const labels = name === injected ? {} : { "hot.internal/injection": "disabled" };
    await api.create(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
  }
  return {
    ...names,
    async [Symbol.asyncDispose]() {
      for (const name of Object.values(names)) await api.delete(RESOURCES.namespaces, name);
    },
  };
}

/**
 * `startup`: as samples/hotupgrade has it, a startupProbe each second until the first yes, then a readinessProbe now and
 * then. `often`: a readinessProbe each second, for ever.
 */
export const PROBING = ["startup", "often"] as const;
export type Probing = (typeof PROBING)[number];

function probes(probing: Probing, probe: object): Pick<Container, "readinessProbe" | "startupProbe"> {
  if (probing === "often") return { readinessProbe: { ...probe, periodSeconds: 1 } };
  const startupProbe = { ...probe, periodSeconds: 1, successThreshold: 1, failureThreshold: 60 };
  return { readinessProbe: { ...probe, periodSeconds: 5 }, startupProbe };
}

/** A SidecarSet with one hot container for the pods of one namespace that have the label of this run. */
export async function createSidecarSet(
  api: Api,
  name: string,
  namespace: string,
  probing: Probing,
): Promise<AsyncDisposable> {
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
          ...probes(probing, standby("probe")),
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

/** What a light pod runs before and after its upgrade: `hot-standby pause`, as the empty side does. */
export const LIGHT = { serving: "localhost/hot/standby:v2", wish: image("hang") } as const;

/**
 * A pod as an injected one, with the same hook and probe as far as Kubernetes is concerned, but programs that start in
 * no time and say yes at once. What its upgrade takes is what Kubernetes takes.
 */
export function lightPod(run: string, namespace: string, name: string, probing: Probing): Pod {
  const pod = applicationPod(`${run}-stray`, namespace, name);
  const yes = { exec: { command: ["/hot-standby", "--help"] } };
  const sidecar = (of: string, which: string): Container => ({
    name: of,
    image: which,
    imagePullPolicy: "IfNotPresent",
    lifecycle: { postStart: yes },
    ...probes(probing, yes),
  });
  const [first, second] = pairNames(BASE);
  const sidecars = [sidecar(first, LIGHT.serving), sidecar(second, EMPTY)];
  return { ...pod, spec: { ...pod.spec, containers: [...sidecars, ...pod.spec.containers] } };
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
export async function injectedPod(api: Api, asked: Pod): Promise<Pod> {
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
