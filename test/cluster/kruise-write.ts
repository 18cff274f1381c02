// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { ApiError, RESOURCES, type KubeObject } from "@hot/kube";
import {
  HASH_ANNOTATION,
  IN_PLACE_STATE_ANNOTATION,
  parseObject,
  VERSION_ANNOTATION_PREFIX,
  type Pod,
  type SidecarSet,
} from "@hot/spec";
import { api } from "./kit.ts";
import { statusOf } from "./pod-history.ts";

/** A round of Kruise's controller, as its own code was recorded: container `x`, SidecarSet `hs`. */
interface Round {
  name: string;
  input: { pod: Pod; sidecarSet: SidecarSet };
  expected: { afterReconcile: { pod: Pod } };
}

const SIDES = [
  ["x-1", "sidecar-1"],
  ["x-2", "sidecar-2"],
] as const;

const rounds = readFileSync("test/conformance/corpus/hot-upgrade.jsonl", "utf8").trim().split("\n");

function round(name: string): Round {
  const found = rounds.map((line) => JSON.parse(line) as Round).find((one) => one.name === name);
  if (found === undefined) throw new RangeError(`the corpus has no round ${name}`);
  return found;
}

/**
 * Does to a real pod what Kruise did in a round of the corpus, with the names, images, versions and hashes of this pod:
 * one write of the pod and one of its condition, of what the round had changed. Tries again on a conflict, as Kruise does.
 *
 * @param image what Kruise upgrades to; default: what the SidecarSet wants
 */
export async function replay(
  name: string,
  target: Pod,
  sidecarSet: SidecarSet,
  image = wish(sidecarSet),
): Promise<void> {
  const { input, expected } = round(name);
  for (;;) {
    const namespace = target.metadata.namespace ?? "";
    const pod = await api().get<Pod & KubeObject>(RESOURCES.pods, target.metadata.name ?? "", { namespace });
    const into = translation(input, pod, sidecarSet, image);
    const after = expected.afterReconcile.pod;
    const body = {
      metadata: {
        resourceVersion: pod.metadata.resourceVersion,
        annotations: changed(input.pod.metadata.annotations, after.metadata.annotations, into),
      },
      spec: { containers: changedImages(input.pod, after, into) },
    };
    try {
      await api().patch(RESOURCES.pods, pod.metadata.name ?? "", { type: "strategic", body }, { namespace });
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) continue;
      throw error;
    }
    const condition = after.status?.conditions?.find(({ type }) => type === "SidecarSetUpgradable");
    if (condition !== undefined) {
      const status = { conditions: [{ ...condition, message: into(condition.message ?? "") }] };
      const options = { namespace, subresource: "status" };
      await api().patch(RESOURCES.pods, pod.metadata.name ?? "", { type: "strategic", body: { status } }, options);
    }
    return;
  }
}

const wish = ({ spec }: SidecarSet): string => spec.containers?.[0]?.image ?? "";
const emptyImage = ({ spec }: SidecarSet): string => spec.containers?.[0]?.upgradeStrategy?.hotUpgradeEmptyImage ?? "";
const imageOf = (pod: Pod, name: string): string => pod.spec.containers.find((one) => one.name === name)?.image ?? "";

/** From a text of the corpus to one of the real pod. Names and values in JSON inside annotations are meant, too. */
function translation(
  { pod, sidecarSet }: Round["input"],
  real: Pod,
  set: SidecarSet,
  image: string,
): (text: string) => string {
  const words = new Map<string, string>([
    ["x", "sidecar"],
    [sidecarSet.metadata.name ?? "", set.metadata.name ?? ""],
    [wish(sidecarSet), image],
    [emptyImage(sidecarSet), emptyImage(set)],
    [sidecarSet.metadata.annotations?.[HASH_ANNOTATION] ?? "", set.metadata.annotations?.[HASH_ANNOTATION] ?? ""],
    [sidecarSet.metadata.resourceVersion ?? "", set.metadata.resourceVersion ?? ""],
    ["2026-01-02T03:04:05Z", `${new Date().toISOString().slice(0, 19)}Z`],
  ]);
  for (const [theirs, ours] of SIDES) {
    words.set(theirs, ours);
    words.set(imageOf(pod, theirs), imageOf(real, ours));
    words.set(recorded(pod, theirs), recorded(real, ours));
    words.set(statusOf(pod, theirs)?.imageID ?? "", statusOf(real, ours)?.imageID ?? "");
    const version = pod.metadata.annotations?.[VERSION_ANNOTATION_PREFIX + theirs] ?? "";
    if (version !== "0") words.set(version, real.metadata.annotations?.[VERSION_ANNOTATION_PREFIX + ours] ?? "");
  }
  return (text) =>
    words.get(text) ?? text.replaceAll(/"([^"]*)"/g, (_, inner: string) => JSON.stringify(words.get(inner) ?? inner));
}

/** What the in-place state says that a container ran before its last change. */
function recorded(pod: Pod, name: string): string {
  const states = Object.values(parseObject(pod.metadata.annotations?.[IN_PLACE_STATE_ANNOTATION]) ?? {});
  const [state] = states as { lastContainerStatuses: Record<string, { imageID: string }> }[];
  return state?.lastContainerStatuses[name]?.imageID ?? "";
}

function changed(
  before: Record<string, string> | undefined,
  after: Record<string, string> | undefined,
  into: (text: string) => string,
): Record<string, string> {
  const entries = Object.entries(after ?? {}).filter(([key, value]) => before?.[key] !== value);
  return Object.fromEntries(
    entries.map(([key, value]) => [key.replace(/\/(x-[12])$/, (_, side: string) => `/${into(side)}`), into(value)]),
  );
}

function changedImages(before: Pod, after: Pod, into: (text: string) => string): object[] {
  return after.spec.containers
    .filter(({ name, image }) => imageOf(before, name) !== image)
    .map(({ name, image = "" }) => ({ name: into(name), image: into(image) }));
}
