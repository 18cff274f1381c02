// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { projectPod, viewSidecarSet, type SidecarSetView } from "@hot/controller";
import { RESOURCES } from "@hot/kube";
import { SIDECAR_SETS, watchFleet } from "./fleet.ts";
import { startLoad } from "./load/load.ts";
import { demoMix } from "./load/traffic.ts";
import { samples } from "./manifests.ts";
import { picture } from "./picture.ts";
import type { Platform } from "./platform.ts";
import { upgrade, upgradeToBroken, type Stage } from "./scenario.ts";
import type { Screen } from "./screen.ts";
import { settledOn } from "./settled.ts";
import type { Run } from "./summary.ts";

const PODS_READY_SECONDS = 30;
const CALM_MS = 3000;
const REDRAW_MS = 250;
const SIDECAR_PORT = 9091;

const image = (version: string): string => `hot/sidecar-demo:${version}`;

/** Applies the samples, sends traffic, upgrades v1 -> v2 -> v3 -> broken v4 -> v5 and returns what happened. */
export async function runDemo(platform: Platform, screen: Screen, signal: AbortSignal): Promise<Run> {
  const stopWatching = new AbortController();
  try {
    return await play(platform, screen, signal, stopWatching.signal);
  } finally {
    stopWatching.abort();
  }
}

async function play({ api }: Platform, screen: Screen, signal: AbortSignal, watching: AbortSignal): Promise<Run> {
  const { sidecarSet, deployment } = await samples();
  const name = sidecarSet.metadata.name ?? "";
  const base = sidecarSet.spec.containers?.[0]?.name ?? "";
  const { replicas, selector } = deployment.spec;
  const labels = Object.entries(selector.matchLabels).map(([key, value]) => `${key}=${value}`);
  const fleet = watchFleet(api, labels.join(","), name, watching);

  const interrupted = Promise.withResolvers<never>();
  interrupted.promise.catch(() => undefined);
  signal.addEventListener("abort", () => interrupted.reject(signal.reason));
  const unlessInterrupted = <T>(work: Promise<T>): Promise<T> => Promise.race([work, interrupted.promise]);

  await api.create(SIDECAR_SETS, sidecarSet);
  await api.create(RESOURCES.deployments, deployment, { namespace: deployment.metadata.namespace });
  screen.say(`applied SidecarSet ${name} and Deployment ${deployment.metadata.name}; waiting for ${replicas} pods`);
  const allSettled = (): boolean =>
    fleet.pods().length === replicas && fleet.pods().every((pod) => settledOn(pod, base, image("v1")));
  await unlessInterrupted(fleet.until(`${replicas} ready pods`, PODS_READY_SECONDS, allSettled));

  const targets = fleet
    .pods()
    .map(({ metadata, status }) => ({ pod: metadata.name ?? "", host: status?.podIP ?? "", port: SIDECAR_PORT }));
  const begin = performance.now();
  const load = startLoad(targets, demoMix);
  const view = (): SidecarSetView => {
    const set = fleet.sidecarSet();
    const pods = fleet.pods().map(projectPod);
    return viewSidecarSet({ name, ...(set && { sidecarSet: set }), pods, namespaces: () => ({}), now: Date.now() });
  };
  const redraw = setInterval(() => screen.draw(picture(view(), load.latest())), REDRAW_MS);
  try {
    const stage: Stage = { api, fleet, load, sidecarSet: name, base };
    const step = async <T>(sentence: string, work: () => Promise<T>): Promise<T> => {
      await unlessInterrupted(sleep(CALM_MS));
      screen.say(sentence);
      return unlessInterrupted(work());
    };
    const upgrades = [
      await step("v1 -> v2: the empty sidecar-2 takes over", () => upgrade(stage, image("v1"), image("v2"))),
      await step("v2 -> v3: and back, from sidecar-2 to sidecar-1", () => upgrade(stage, image("v2"), image("v3"))),
    ];
    const aborts = [
      await step("v3 -> v4, which crashes at its start", () =>
        upgradeToBroken(stage, image("v3"), image("v4"), screen.say),
      ),
    ];
    upgrades.push(await step("v3 -> v5: the repaired version", () => upgrade(stage, image("v3"), image("v5"))));
    await unlessInterrupted(sleep(CALM_MS));
    const seconds = (performance.now() - begin) / 1000;
    return { seconds, tally: await load.stop(), upgrades, aborts };
  } finally {
    clearInterval(redraw);
    load.kill();
  }
}
