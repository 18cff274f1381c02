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
  type PodCondition,
} from "@hot/spec";
import { toMillis } from "../instant.ts";
import { Annotated } from "./annotated.ts";
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
  /** Not ready though its containers are, and no readinessGate is why: nobody hears of its node's kubelet. */
  readonly silent?: true;
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
  return new Projected(pod, ownAnnotations(pod.metadata.annotations ?? {})) as unknown as PodProjection;
}

/** Whole seconds, as Kubernetes writes times: they take no room of their own. */
class Projected extends Annotated {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly observedGeneration: number | undefined;
  readonly created: number;
  readonly labels: PodProjection["labels"];
  readonly retry: string | undefined;
  readonly deleting: boolean;
  readonly mirror: true | undefined;
  readonly phase: string;
  readonly nodeName: string;
  readonly ready: boolean;
  readonly silent: true | undefined;
  readonly readySince: number | undefined;
  readonly containersReadySince: number | undefined;
  readonly containers: readonly ContainerProjection[];
  readonly upgradable: string | undefined;

  constructor({ metadata, spec, status = {} }: Pod, annotations: [key: string, text: string][]) {
    super(annotations);
    const condition = (type: string) => status.conditions?.find((one) => one.type === type);
    const statusOf = (name: string) => status.containerStatuses?.find((one) => one.name === name);
    const ready = condition("Ready");
    const containersReady = condition("ContainersReady");
    this.namespace = sharedText(metadata.namespace ?? "");
    this.name = metadata.name ?? "";
    this.uid = metadata.uid ?? "";
    this.resourceVersion = metadata.resourceVersion ?? "";
    this.generation = metadata.generation ?? 0;
    this.observedGeneration = status.observedGeneration;
    this.created = toSeconds(metadata.creationTimestamp) ?? 0;
    this.labels = sharedLabels(metadata.labels ?? {});
    this.retry = retryToken(metadata) || undefined;
    this.deleting = metadata.deletionTimestamp !== undefined;
    this.mirror = metadata.annotations?.[MIRROR_ANNOTATION] === undefined ? undefined : true;
    this.phase = sharedText(status.phase ?? "Pending");
    this.nodeName = sharedText(spec.nodeName ?? "");
    this.ready = ready?.status === "True";
    this.silent = isSilent(spec, status.conditions) ? true : undefined;
    this.readySince = toSeconds(ready?.lastTransitionTime);
    this.containersReadySince =
      containersReady?.status === "True" ? toSeconds(containersReady.lastTransitionTime) : undefined;
    this.containers =
      annotations.length > 0 ? spec.containers.map((one) => projectContainer(one, statusOf(one.name))) : NONE;
    this.upgradable = condition(UPGRADABLE_CONDITION)?.message;
  }
  get createdAt(): number {
    return fromSeconds(this.created);
  }
  get readyAt(): number | undefined {
    return this.readySince === undefined ? undefined : fromSeconds(this.readySince);
  }
  get containersReadyAt(): number | undefined {
    return this.containersReadySince === undefined ? undefined : fromSeconds(this.containersReadySince);
  }
}

/**
 * A kubelet says Ready where containers and readinessGates are ready. Of pods whose kubelet is not heard of, Kubernetes'
 * node controller turns Ready to False and leaves everything else.
 */
function isSilent({ readinessGates }: Pod["spec"], conditions: PodCondition[] = []): boolean {
  const is = (type: string, status: string): boolean =>
    conditions.some((one) => one.type === type && one.status === status);
  if (!is("Ready", "False") || !is("ContainersReady", "True")) return false;
  const gates = Array.isArray(readinessGates) ? (readinessGates as { conditionType?: string }[]) : [];
  return gates.every(({ conditionType = "" }) => is(conditionType, "True"));
}

const NONE: readonly ContainerProjection[] = [];

/** What was read last: the times of a pod are often the same. */
let lastTime: string | undefined;
let lastSeconds: number | undefined;

function toSeconds(time: string | null | undefined): number | undefined {
  if (typeof time !== "string") return undefined;
  if (time !== lastTime) {
    const millis = toMillis(time);
    [lastTime, lastSeconds] = [time, millis === undefined ? undefined : millis / 1000];
  }
  return lastSeconds;
}

function fromSeconds(seconds: number): number {
  return Math.round(seconds * 1000);
}

function ownAnnotations(annotations: Readonly<Record<string, string>>): [key: string, text: string][] {
  const own: [string, string][] = [];
  for (const key of Object.keys(annotations)) if (isOurs(key)) own.push([key, annotations[key] ?? ""]);
  return own;
}

/** Whether an annotation of a pod is one of injection and upgrade. */
export function isOurs(key: string): boolean {
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
  if (running && !waiting && !terminated) return new Running(status, running.startedAt);
  const last = status.lastState?.terminated;
  return {
    image: sharedText(status.image),
    imageID: sharedText(status.imageID),
    containerID: status.containerID ?? "",
    ready: status.ready,
    started: status.started ?? running !== undefined,
    restartCount: status.restartCount,
    ...optional("runningSince", running ? (toMillis(running.startedAt) ?? 0) : undefined),
    ...optional("waiting", waiting ? (waiting.reason ?? "Waiting") : undefined),
    ...optional("waitingMessage", waiting?.message),
    ...optional("terminated", terminated ? ended(terminated) : undefined),
    ...optional("lastTerminated", last && waiting?.reason === "CrashLoopBackOff" ? ended(last) : undefined),
  };
}

/** As nearly all containers are. */
class Running implements ContainerObservation {
  readonly image: string;
  readonly imageID: string;
  readonly containerID: string;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  /** In seconds. */
  readonly since: number;

  constructor(status: ContainerStatus, startedAt: string | undefined) {
    this.image = sharedText(status.image);
    this.imageID = sharedText(status.imageID);
    this.containerID = status.containerID ?? "";
    this.ready = status.ready;
    this.started = status.started ?? true;
    this.restartCount = status.restartCount;
    this.since = toSeconds(startedAt) ?? 0;
  }
  get runningSince(): number {
    return fromSeconds(this.since);
  }
}

function ended(one: { exitCode: number; containerID?: string }): { exitCode: number; containerID: string } {
  return { exitCode: one.exitCode, containerID: one.containerID ?? "" };
}

/** A member that is left out when it has no value, as exact optional properties want it. */
function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [key in K]?: V };
}
