// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { RESOURCES, type Api, type KubeObject } from "@hot/kube";
import {
  findCondition,
  pairNames,
  VERSION_ALT_ANNOTATION_PREFIX,
  VERSION_ANNOTATION_PREFIX,
  type Pod,
  type SidecarSet,
} from "@hot/spec";
import { SIDECAR_SETS, watchFleet, type Fleet } from "../../apps/demo/src/fleet.ts";
import {
  applicationPod,
  BASE,
  createSidecarSet,
  EMPTY,
  image,
  isInjected,
  LIGHT,
  lightPod,
  RUN_LABEL,
  strayPod,
  type Namespaces,
  type Probing,
} from "./objects.ts";
import { isPodReady, Timeline } from "./timeline.ts";

export interface Setting {
  readonly api: Api;
  readonly namespaces: Namespaces;
  readonly pods: number;
  readonly probing: Probing;
  /** PATCH requests on pods that the API server has answered so far with this code, those on subresources not counted. */
  readonly podPatches: (code: number) => number;
  /** Resident memory of each replica of the application. */
  readonly memoryMb: () => Promise<number[]>;
}

export interface UpgradeRun {
  /** From the first PATCH to all pods settled, in milliseconds. */
  readonly ms: number;
  readonly timeline: Timeline;
  /** `performance.now()` of the first PATCH. */
  readonly start: number;
}

export interface HotRun extends UpgradeRun {
  /** From all pods settled to the condition Ready of the SidecarSet, in milliseconds. */
  readonly statusMs: number;
  readonly patchesPerPod: number;
  /** Refused because the pod had changed meanwhile; of all pods. */
  readonly conflicts: number;
  /** Of the largest replica, before the upgrade. */
  readonly idleMb: number;
}

const LIMIT_SECONDS = 90;
/**
 * The kubelet looks at a pod again only after its next relist (1 s), and once more for each change of readiness: a PATCH
 * right after a start would wait for two of them. Pods that are upgraded have been running for longer.
 */
const QUIET_MS = 3_000;

/** A hot upgrade by the controller: one PATCH of the SidecarSet. */
export async function hotUpgrade(setting: Setting, name: string): Promise<HotRun> {
  const { api, namespaces } = setting;
  await using sets = new AsyncDisposableStack();
  sets.use(await createSidecarSet(api, name, namespaces.injected, setting.probing));
  const names = podNames(name, setting.pods);
  await using run = await started(setting, name, name, () =>
    Promise.resolve(names.map((pod) => applicationPod(name, namespaces.injected, pod))),
  );
  const { fleet } = run;
  await fleet.until(`SidecarSet ${name} is Ready`, LIMIT_SECONDS, () => hasReady(fleet.sidecarSet(), setting.pods));
  const idleMb = Math.max(...(await setting.memoryMb()));
  const [patches, conflicts] = [setting.podPatches(200), setting.podPatches(409)];
  const timeline = new Timeline(fleet.pods(), () => performance.now());
  const wish = image("v2");
  let settledAt: number | undefined;
  let readyAt: number | undefined;
  const start = performance.now();
  const body = [{ op: "replace", path: "/spec/containers/0/image", value: wish }];
  const patched = await api.patch<SidecarSet>(SIDECAR_SETS, name, { type: "json", body });
  const { generation } = patched.metadata;
  await fleet.until(`the hot upgrade ${name}`, LIMIT_SECONDS, () => {
    if (timeline.observe(fleet.pods(), wish)) settledAt ??= performance.now();
    if (hasReady(fleet.sidecarSet(), setting.pods, generation)) readyAt ??= performance.now();
    return settledAt !== undefined && readyAt !== undefined;
  });
  return {
    ms: (settledAt ?? Number.NaN) - start,
    statusMs: Math.max(0, (readyAt ?? Number.NaN) - (settledAt ?? Number.NaN)),
    patchesPerPod: (setting.podPatches(200) - patches) / setting.pods,
    conflicts: setting.podPatches(409) - conflicts,
    idleMb,
    timeline,
    start,
  };
}

/**
 * The same by hand, with the same sidecar, in pods that belong to no SidecarSet: in each the image of the second side,
 * and with the receipt at once that of the first. Nobody can be faster with this kubelet and this sidecar.
 */
export async function floorUpgrade(setting: Setting, name: string): Promise<UpgradeRun> {
  const { api, namespaces } = setting;
  return await byHand(setting, name, image("v2"), async () => {
    await using sets = new AsyncDisposableStack();
    sets.use(await createSidecarSet(api, name, namespaces.injected, setting.probing));
    return await Promise.all(podNames(name, setting.pods).map((pod) => strayPod(api, name, namespaces, pod)));
  });
}

/** The same by hand with a sidecar that costs nothing: nobody can be faster with this kubelet. */
export async function lightUpgrade(setting: Setting, name: string): Promise<UpgradeRun> {
  const { namespaces, probing } = setting;
  const pods = podNames(name, setting.pods).map((pod) => lightPod(name, namespaces.excluded, pod, probing));
  return await byHand(setting, name, LIGHT.wish, () => Promise.resolve(pods));
}

async function byHand(setting: Setting, name: string, wish: string, make: () => Promise<Pod[]>): Promise<UpgradeRun> {
  const { api } = setting;
  await using run = await started(setting, `${name}-stray`, name, make);
  const { fleet } = run;
  const timeline = new Timeline(fleet.pods(), () => performance.now());
  const [old, target] = pairNames(BASE);
  const reset = new Set<string>();
  const sent: Promise<unknown>[] = [];
  const send = (pod: Pod, container: string, to: string, annotations: Record<string, string>): void => {
    const body = { metadata: { annotations }, spec: { containers: [{ name: container, image: to }] } };
    const { name: of = "", namespace = "" } = pod.metadata;
    sent.push(api.patch(RESOURCES.pods, of, { type: "strategic", body }, { namespace }));
  };
  const start = performance.now();
  for (const pod of fleet.pods()) {
    const versions = {
      [VERSION_ANNOTATION_PREFIX + target]: "1000000",
      [VERSION_ALT_ANNOTATION_PREFIX + old]: "1000000",
    };
    const serving = pod.metadata.annotations?.[VERSION_ANNOTATION_PREFIX + old] ?? "1";
    send(pod, target, wish, { ...versions, [VERSION_ALT_ANNOTATION_PREFIX + target]: serving });
  }
  await fleet.until(`the floor ${name}`, LIMIT_SECONDS, () => {
    const done = timeline.observe(fleet.pods(), wish);
    for (const pod of fleet.pods()) {
      if (!timeline.reached(pod, "new container ready") || reset.has(pod.metadata.name ?? "")) continue;
      reset.add(pod.metadata.name ?? "");
      send(pod, old, EMPTY, {
        [VERSION_ANNOTATION_PREFIX + old]: "0",
        [VERSION_ALT_ANNOTATION_PREFIX + target]: "0",
      });
    }
    return done;
  });
  await Promise.all(sent);
  return { ms: (timeline.all("settled") ?? Number.NaN) - start, timeline, start };
}

/** Fresh pods, running and ready; deleted at the end, and when they do not become ready. */
async function started(
  { api, pods }: Setting,
  label: string,
  sidecarSet: string,
  make: () => Promise<Pod[]>,
): Promise<{ readonly fleet: Fleet } & AsyncDisposable> {
  await using ending = new AsyncDisposableStack();
  const stop = new AbortController();
  ending.defer(() => stop.abort());
  const fleet = watchFleet(api, `${RUN_LABEL}=${label}`, sidecarSet, stop.signal);
  const created = await make();
  ending.defer(async () => {
    for (const { metadata } of created) {
      const { name = "", namespace = "" } = metadata;
      await api.delete(RESOURCES.pods, name, { namespace, gracePeriodSeconds: 1 });
    }
    await fleet.until(`the pods of ${label} are gone`, LIMIT_SECONDS, () => fleet.pods().length === 0);
  });
  const made = await Promise.all(created.map((pod) => api.create<Pod & KubeObject>(RESOURCES.pods, pod)));
  if (!made.every(isInjected)) throw new Error(`a pod of ${label} has no sidecar`);
  await fleet.until(`${pods} pods of ${label} are ready`, LIMIT_SECONDS, () => {
    const ready = fleet.pods().filter(isPodReady);
    return ready.length === pods;
  });
  await sleep(QUIET_MS);
  const moved = ending.move();
  return { fleet, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

function podNames(run: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${run}-${index}`);
}

/** All pods updated, reset and ready, for this generation. */
function hasReady(sidecarSet: SidecarSet | undefined, pods: number, generation = 0): boolean {
  const status = sidecarSet?.status;
  const condition = findCondition(status?.conditions, "Ready");
  return (
    condition?.status === "True" &&
    (condition.observedGeneration ?? 0) >= generation &&
    status?.updatedReadyPods === pods
  );
}
