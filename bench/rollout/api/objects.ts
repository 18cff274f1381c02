// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { injectPod } from "../../../packages/inject/src/index.ts";
import { ApiError, RESOURCES, type Api, type KubeObject } from "@hot/kube";
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  sidecarSetCrd,
  sidecarSetHashes,
  type Container,
  type Pod,
  type SidecarSet,
} from "@hot/spec";
import { SIDECAR_SETS } from "../../../apps/demo/src/fleet.ts";

export const BASE = "proxy";
export const EMPTY = "registry.example/hot/standby:v1";
export const SET = "mesh";
/** `rolled`: pods of the SidecarSet. `patched`: the same pods as nobody's, for the plain client. */
export const NAMESPACES = { rolled: "rolled", patched: "patched", system: "hot-system" } as const;
const LABELS = { app: "web" };

export const imageOf = (version: number): string => `registry.example/mesh/proxy:v1.${version}.0`;

/** A SidecarSet as the webhooks would leave it: with both hashes, one hot container, maxUnavailable 100 %. */
export function sidecarSet(version: number): SidecarSet & KubeObject {
  const exec = { command: ["/hot-standby", "probe", "--name", BASE] };
  const spec: SidecarSet["spec"] = {
    selector: { matchLabels: LABELS },
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": NAMESPACES.rolled } },
    updateStrategy: { type: "RollingUpdate", maxUnavailable: "100%" },
    containers: [
      {
        name: BASE,
        image: imageOf(version),
        imagePullPolicy: "IfNotPresent",
        env: Array.from({ length: 3 }, (_, at) => ({ name: `PROXY_SETTING_${at}`, value: `some value ${at}` })),
        resources: { requests: { cpu: "100m", memory: "64Mi" } },
        lifecycle: { postStart: { exec: { command: ["/hot-standby", "migrate", "--name", BASE] } } },
        readinessProbe: { exec, periodSeconds: 5 },
        startupProbe: { exec, periodSeconds: 1, failureThreshold: 60 },
        upgradeStrategy: { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: EMPTY },
      },
    ],
  };
  const { hash, hashWithoutImage } = sidecarSetHashes({ spec });
  return {
    apiVersion: "apps.kruise.io/v1beta1",
    kind: "SidecarSet",
    metadata: {
      name: SET,
      annotations: { [HASH_ANNOTATION]: hash, [HASH_WITHOUT_IMAGE_ANNOTATION]: hashWithoutImage },
    },
    spec,
  };
}

/** A pod as the webhook leaves it. */
export function injected(name: string, from: SidecarSet): Pod {
  const { rolled: namespace } = NAMESPACES;
  const main: Container = {
    name: "main",
    image: "registry.example/shop/web:1.2.3",
    imagePullPolicy: "IfNotPresent",
    env: Array.from({ length: 3 }, (_, at) => ({ name: `SHOP_SETTING_${at}`, value: `another value ${at}` })),
    resources: { requests: { cpu: "100m", memory: "64Mi" } },
  };
  const asked: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: LABELS },
    spec: { automountServiceAccountToken: false, nodeName: "simulated", containers: [main] },
  };
  const labels = { "kubernetes.io/metadata.name": namespace };
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const { pod, report } = injectPod({ pod: asked, namespace: { name: namespace, labels }, sidecarSets: [from], now });
  if (report.injected.length !== 1) throw new Error(`${name} gets no sidecar: ${JSON.stringify(report)}`);
  return pod;
}

/** The same pod, of the same size, without any sign of a SidecarSet, so that no controller looks after it. */
export function nobodys({ metadata, spec, ...rest }: Pod): Pod {
  const signs = new Set([HASH_ANNOTATION, HASH_WITHOUT_IMAGE_ANNOTATION, INJECTED_LIST_ANNOTATION]);
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).map(([key, value]) => [
      signs.has(key) ? `bench.hot.internal/${key.replace("/", ".")}` : key,
      value,
    ]),
  );
  return { ...rest, metadata: { ...metadata, namespace: NAMESPACES.patched, annotations }, spec };
}

/** Also the condition that the controller writes to each of its pods: every condition is in every write of a pod. */
export async function createNobodys(api: Api, pod: Pod): Promise<void> {
  const { namespace = "", name = "" } = (await api.create<Pod>(RESOURCES.pods, nobodys(pod))).metadata;
  const condition = {
    type: "Nobodys",
    status: "True",
    reason: "AsLongAsThatOfTheController",
    message: JSON.stringify({ [SET]: true }),
    lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
  };
  const body = { status: { conditions: [condition] } };
  await api.patch(RESOURCES.pods, name, { type: "strategic", body }, { namespace, subresource: "status" });
}

/** What has to be there before the first pod; without a controller manager nobody else makes the service accounts. */
export async function createSurroundings(api: Api): Promise<void> {
  const crd = sidecarSetCrd();
  await api.create(RESOURCES.customResourceDefinitions, crd);
  const accounts = { group: "", version: "v1", plural: "serviceaccounts", namespaced: true };
  for (const namespace of Object.values(NAMESPACES)) {
    await api.create(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    const metadata = { name: "default", namespace };
    await api.create(accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata });
  }
  while (!(await isServed(api))) await sleep(100);
}

/** A new CustomResourceDefinition is served a moment later. */
async function isServed(api: Api): Promise<boolean> {
  try {
    await api.list(SIDECAR_SETS);
    return true;
  } catch (error) {
    if (error instanceof ApiError && [404, 429].includes(error.status)) return false;
    throw error;
  }
}

/** The change that starts a rollout: another image, with the hashes that the webhook would compute. */
export async function upgradeTo(api: Api, version: number): Promise<void> {
  const { metadata, spec } = sidecarSet(version);
  const body = { metadata: { annotations: metadata.annotations ?? {} }, spec };
  await api.patch(SIDECAR_SETS, SET, { type: "merge", body });
}
