// SPDX-License-Identifier: Apache-2.0
import { HASH_WITHOUT_IMAGE_ANNOTATION, type Container, type ContainerStatus, type Pod } from "@hot/spec";
import { hotContainer, sidecarSet } from "./builders.ts";
import { after, planFor } from "./planning.ts";

const MESH = "registry.example.com/mesh/proxy:v1.17.2";
const EMPTY = "registry.example.com/hot/standby:v1";
const IMAGES = { main: "registry.example.com/team/shop/main:1.2.3", "x-1": MESH, "x-2": EMPTY };
const TIME = Date.UTC(2030, 0, 1);
const NEXT = sidecarSet({ containers: [hotContainer("x", "registry.example.com/mesh/proxy:v1.18.0", EMPTY)] });

/** The JSON text, of more than 10 KB, of one of many pods as an API server has it, as the webhook left it: 50 are of one ReplicaSet. */
export function largePod(index: number): string {
  const set = Math.floor(index / 50);
  const time = new Date(TIME + index * 200).toISOString().replace(/\.\d+Z$/, "Z");
  const digest = `registry.example.com/mesh/proxy@sha256:${hex(7, 64)}`;
  const entry = { updateTimestamp: time, hash: hex(5, 64), sidecarSetName: "mesh", sidecarList: ["x"] };
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `web-${hex(set, 10)}-${hex(index, 5)}`,
      namespace: `team-${set % 40}`,
      uid: `${hex(index, 8)}-0000-4000-8000-${hex(index, 12)}`,
      resourceVersion: String(1_000_000 + index),
      generation: 1,
      creationTimestamp: time,
      labels: {
        app: `web-${set}`,
        "app.kubernetes.io/part-of": "shop",
        "pod-template-hash": hex(set, 10),
        tier: "front",
      },
      annotations: {
        "kruise.io/sidecarset-hash": JSON.stringify({ mesh: { ...entry, controllerRevision: "mesh-5f6d95f777" } }),
        "kruise.io/sidecarset-hash-without-image": JSON.stringify({ mesh: entry }),
        "kruise.io/sidecarset-injected-list": "mesh",
        "kruise.io/sidecarset-working-hotupgrade-container": '{"x":"x-1"}',
        "version.sidecarset.kruise.io/x-1": "1",
        "version.sidecarset.kruise.io/x-2": "0",
        "versionalt.sidecarset.kruise.io/x-1": "0",
        "versionalt.sidecarset.kruise.io/x-2": "1",
        "prometheus.io/scrape": "true",
      },
    },
    spec: {
      nodeName: `node-${index % 500}`,
      containers: Object.entries(IMAGES).map((one) => container(...one, index)),
    },
    status: {
      phase: "Running",
      observedGeneration: 1,
      conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
        type,
        status: "True" as const,
        lastTransitionTime: time,
      })),
      containerStatuses: Object.entries(IMAGES).map(([name, image], at) => ({
        name,
        image,
        imageID: digest,
        containerID: `containerd://${hex(index * 3 + at, 64)}`,
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: time } },
      })),
    },
  };
  return JSON.stringify(pod);
}

/** The same pod after a hot upgrade by the controller and a kubelet: another container in both sides, and a record. */
export function upgradedLargePod(index: number): string {
  let pod = JSON.parse(largePod(index)) as Pod;
  const { annotations = {}, labels = {} } = pod.metadata;
  const hashes = annotations[HASH_WITHOUT_IMAGE_ANNOTATION] ?? "";
  annotations[HASH_WITHOUT_IMAGE_ANNOTATION] = hashes.replace(
    hex(5, 64),
    NEXT.metadata.annotations?.[HASH_WITHOUT_IMAGE_ANNOTATION] ?? "",
  );
  const set = { ...NEXT, spec: { ...NEXT.spec, selector: { matchLabels: { app: labels["app"] ?? "" } } } };
  for (const minute of [1, 2]) {
    const { writes } = planFor([pod], set, { now: TIME + 86_400_000 + minute * 60_000 + index * 200 });
    pod = after(pod, writes[0]?.write);
    const changed = writes[0]?.write.images ?? {};
    const { generation = 1 } = pod.metadata;
    const statuses = pod.status?.containerStatuses ?? [];
    pod.status = {
      ...pod.status,
      observedGeneration: generation,
      containerStatuses: statuses.map((one) => replaced(one, changed[one.name], index)),
    };
  }
  return JSON.stringify(pod);
}

function replaced(before: ContainerStatus, image: string | undefined, index: number): ContainerStatus {
  if (image === undefined) return before;
  return {
    ...before,
    image,
    imageID: `registry.example.com/mesh/proxy@sha256:${hex(image.length, 64)}`,
    containerID: `containerd://${hex(index * 7 + image.length * 1_000_003, 64)}`,
    restartCount: before.restartCount + 1,
    lastState: { terminated: { exitCode: 0, containerID: before.containerID ?? "" } },
  };
}

function container(name: string, image: string, index: number): Container {
  const env = Array.from({ length: 20 }, (_, at) => ({
    name: `SETTING_${at}`,
    value: `value ${at} ${"of some length ".repeat(4)}`,
  }));
  return {
    name,
    image,
    env: name === "main" ? env : [...env, { name: "IS_INJECTED", value: "true" }],
    ports: [{ containerPort: 8080, protocol: "TCP" }],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "1", memory: "512Mi" } },
    volumeMounts: [
      {
        name: `kube-api-access-${hex(index, 5)}`,
        mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
        readOnly: true,
      },
    ],
    readinessProbe: { exec: { command: ["/hot-standby", "probe"] }, periodSeconds: 10, timeoutSeconds: 1 },
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: "IfNotPresent",
  };
}

function hex(value: number, length: number): string {
  return value.toString(16).padStart(length, "0").slice(-length);
}
