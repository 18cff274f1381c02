// SPDX-License-Identifier: Apache-2.0
import { isInjected } from "@hot/inject";
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  IN_PLACE_STATE_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  RECORD_ANNOTATION_PREFIX,
  retryToken,
  UPGRADABLE_CONDITION,
  VERSION_ALT_ANNOTATION_PREFIX,
  VERSION_ANNOTATION_PREFIX,
  WORKING_ANNOTATION,
  type Container,
  type ContainerStatus,
  type Pod,
} from "@hot/spec";
import { toMillis } from "../instant.ts";
import { annotated } from "./annotated.ts";
import { fingerprint } from "./fingerprint.ts";
import { shared, sharedLabels, sharedText } from "./shared-values.ts";

/** What decisions need of a pod, so that a cache of all pods stays small. Times are epoch milliseconds. */
export interface PodProjection {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** 0 before Kubernetes 1.33, which does not count it. */
  readonly generation: number;
  /** Absent before Kubernetes 1.34. */
  readonly observedGeneration?: number;
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Only those of injection and upgrade. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The retry that was asked for on the pod itself. */
  readonly retry?: string;
  readonly deleting: boolean;
  /** Shows a static pod, which runs before the API knows of it: nothing can be injected. */
  readonly mirror?: true;
  readonly phase: string;
  readonly nodeName: string;
  readonly ready: boolean;
  /** Last transition of the condition Ready. */
  readonly readyAt?: number;
  /** When ContainersReady last turned true; absent while it is not true. */
  readonly containersReadyAt?: number;
  readonly containers: readonly ContainerProjection[];
  /** Message of the condition SidecarSetUpgradable. */
  readonly upgradable?: string;
}

export interface ContainerProjection {
  readonly name: string;
  readonly image: string;
  /** `exec`: asks this container's own process. `startup`: only a startupProbe, whose first report is left over. */
  readonly probe: "exec" | "other" | "startup" | "none";
  /** Period of the startupProbe, in milliseconds. */
  readonly startupPeriod: number;
  /** After this time a readinessProbe that fails has been reported as failed, in milliseconds. */
  readonly readinessLimit: number;
  readonly status?: ContainerObservation;
  /** What an injected container was injected with. */
  readonly prints?: Uint32Array;
}

export interface ContainerObservation {
  readonly image: string;
  readonly imageID: string;
  readonly containerID: string;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  readonly runningSince?: number;
  /** Reason why the container waits for its start. */
  readonly waiting?: string;
  readonly waitingMessage?: string;
  readonly terminated?: { readonly exitCode: number; readonly containerID: string };
  /** Only of a container in CrashLoopBackOff. */
  readonly lastTerminated?: { readonly exitCode: number; readonly containerID: string };
}

const KEYS = new Set([
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  IN_PLACE_STATE_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  WORKING_ANNOTATION,
]);
const PREFIXES = [VERSION_ANNOTATION_PREFIX, VERSION_ALT_ANNOTATION_PREFIX, RECORD_ANNOTATION_PREFIX];

/** On the pods that a kubelet shows for its static pods. */
const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** Reduces a pod; one that carries nothing of an injection keeps no containers. Labels may be shared with other pods. */
export function projectPod(pod: Pod): PodProjection {
  const { metadata, spec, status = {} } = pod;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(isOurs);
  const injected = annotations.length > 0;
  const condition = (type: string) => status.conditions?.find((one) => one.type === type);
  const statusOf = (name: string) => status.containerStatuses?.find((one) => one.name === name);
  const ready = condition("Ready");
  const containersReady = condition("ContainersReady");
  return annotated(annotations, {
    namespace: sharedText(metadata.namespace ?? ""),
    name: metadata.name ?? "",
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    generation: metadata.generation ?? 0,
    ...optional("observedGeneration", status.observedGeneration),
    createdAt: toMillis(metadata.creationTimestamp) ?? 0,
    labels: sharedLabels(metadata.labels ?? {}),
    ...optional("retry", retryToken(metadata) || undefined),
    deleting: metadata.deletionTimestamp !== undefined,
    ...(metadata.annotations?.[MIRROR_ANNOTATION] !== undefined && { mirror: true }),
    phase: status.phase ?? "Pending",
    nodeName: sharedText(spec.nodeName ?? ""),
    ready: ready?.status === "True",
    ...optional("readyAt", toMillis(ready?.lastTransitionTime)),
    ...optional(
      "containersReadyAt",
      containersReady?.status === "True" ? toMillis(containersReady.lastTransitionTime) : undefined,
    ),
    containers: injected ? spec.containers.map((one) => projectContainer(one, statusOf(one.name))) : [],
    ...optional("upgradable", condition(UPGRADABLE_CONDITION)?.message),
  });
}

function isOurs([key]: readonly [key: string, text: string]): boolean {
  return KEYS.has(key) || PREFIXES.some((prefix) => key.startsWith(prefix));
}

function projectContainer(container: Container, status: ContainerStatus | undefined): ContainerProjection {
  return new Seen(sharedSpec(container), status === undefined ? undefined : observe(status)) as ContainerProjection;
}

type ContainerSpec = Omit<ContainerProjection, "status">;

/** Holds what the containers of many pods have in common by reference. */
class Seen implements Undefined<ContainerProjection> {
  readonly spec: ContainerSpec;
  readonly status: ContainerObservation | undefined;

  constructor(spec: ContainerSpec, status: ContainerObservation | undefined) {
    this.spec = spec;
    this.status = status;
  }
  get name(): string {
    return this.spec.name;
  }
  get image(): string {
    return this.spec.image;
  }
  get probe(): ContainerSpec["probe"] {
    return this.spec.probe;
  }
  get startupPeriod(): number {
    return this.spec.startupPeriod;
  }
  get readinessLimit(): number {
    return this.spec.readinessLimit;
  }
  get prints(): Uint32Array | undefined {
    return this.spec.prints;
  }
}

/** Members that may be left out are there and undefined. */
type Undefined<T> = { [K in keyof T]: T[K] | undefined };

const plainSpecs = shared(2_000, (spec: ContainerSpec) => spec);
const injectedSpecs = shared(2_000, (own: Container) => ({ ...plainSpec(own), prints: fingerprint(own) }));

function sharedSpec(container: Container): ContainerSpec {
  return isInjected(container) ? injectedSpecs(ownSettings(container)) : plainSpecs(plainSpec(container));
}

function plainSpec(container: Container): ContainerSpec {
  return {
    name: container.name,
    image: container.image ?? "",
    probe: probeKind(container),
    startupPeriod: (container.startupProbe?.periodSeconds ?? 10) * 1000,
    readinessLimit: readinessLimit(container),
  };
}

/** Of a volume with a name that the API server makes up for each pod. */
const TOKEN_VOLUME = "kube-api-access-";

/** What the containers of all pods of one template have in common. */
function ownSettings(container: Container): Container {
  const { volumeMounts } = container;
  if (volumeMounts === undefined) return container;
  return { ...container, volumeMounts: volumeMounts.filter(({ name }) => !name.startsWith(TOKEN_VOLUME)) };
}

function probeKind({ readinessProbe, startupProbe }: Container): ContainerProjection["probe"] {
  if (readinessProbe) return readinessProbe.exec ? "exec" : "other";
  return startupProbe ? "startup" : "none";
}

/** The first period may be waited for in full; each attempt may take its timeout. */
function readinessLimit({ readinessProbe }: Container): number {
  const { failureThreshold = 3, periodSeconds = 10, timeoutSeconds = 1 } = readinessProbe ?? {};
  return failureThreshold * (periodSeconds + timeoutSeconds) * 1000;
}

function observe(status: ContainerStatus): ContainerObservation {
  const { running, waiting, terminated } = status.state ?? {};
  const seen = {
    image: sharedText(status.image),
    imageID: sharedText(status.imageID),
    containerID: status.containerID ?? "",
    ready: status.ready,
    started: status.started ?? running !== undefined,
    restartCount: status.restartCount,
  };
  // What nearly all are, as one literal, which takes less room than members that are added.
  if (running && !waiting && !terminated) {
    const { image, imageID, containerID, ready, started, restartCount } = seen;
    const runningSince = toMillis(running.startedAt) ?? 0;
    return { image, imageID, containerID, ready, started, restartCount, runningSince };
  }
  const last = status.lastState?.terminated;
  return {
    ...seen,
    ...optional("runningSince", running ? (toMillis(running.startedAt) ?? 0) : undefined),
    ...optional("waiting", waiting ? (waiting.reason ?? "Waiting") : undefined),
    ...optional("waitingMessage", waiting?.message),
    ...optional("terminated", terminated ? ended(terminated) : undefined),
    ...optional("lastTerminated", last && waiting?.reason === "CrashLoopBackOff" ? ended(last) : undefined),
  };
}

function ended(one: { exitCode: number; containerID?: string }): { exitCode: number; containerID: string } {
  return { exitCode: one.exitCode, containerID: one.containerID ?? "" };
}

/** A member that is left out when it has no value, as exact optional properties want it. */
function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [key in K]?: V };
}
