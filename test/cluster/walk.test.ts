// SPDX-License-Identifier: Apache-2.0
// The walk of the article on real containers: v1 → v2 → v3 in three pods under load, with everything that a user,
// a sidecar or Kruise can see at each step.
import { readFile } from "node:fs/promises";
import { connect, type KubeObject, type Resource } from "@hot/kube";
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  IN_PLACE_STATE_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  parseObject,
  sidecarSetHashes,
  type Pod,
  type SidecarSet,
} from "@hot/spec";
import { expect, inject, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { SIDECAR_SETS } from "../../apps/demo/src/fleet.ts";
import { containerEnv } from "./container-env.ts";
import * as kit from "./kit.ts";
import { injectedState, pairState, pairStates, reset, upgraded, type PairState } from "./pair-state.ts";
import { containerIDs, expectAppUntouched, statusOf, watchPods } from "./pod-history.ts";

const V1ALPHA1: Resource = { ...SIDECAR_SETS, version: "v1alpha1" };
const article = (tag: string): string => `openkruise/hotupgrade-sample:${tag}`;
const REPLICAS = 3;

type Stored = SidecarSet & KubeObject;

const inBothVersions = async (name: string): Promise<[v1alpha1: Stored, v1beta1: Stored]> =>
  Promise.all([kit.api().get<Stored>(V1ALPHA1, name), kit.api().get<Stored>(SIDECAR_SETS, name)]);

/** Everything that section 4 of the reference says about a settled pod, except the pair itself. */
async function expectRecorded(name: string, pods: readonly Pod[], upgrades: number): Promise<void> {
  const [alpha, beta] = await inBothVersions(name);
  expect({ ...alpha, apiVersion: beta.apiVersion }).toEqual(beta);
  const { hash, hashWithoutImage } = sidecarSetHashes(beta);
  expect(beta.metadata.annotations).toMatchObject({
    [HASH_ANNOTATION]: hash,
    [HASH_WITHOUT_IMAGE_ANNOTATION]: hashWithoutImage,
  });
  expect(beta.status).toMatchObject({
    observedGeneration: beta.metadata.generation,
    matchedPods: REPLICAS,
    updatedPods: REPLICAS,
    readyPods: REPLICAS,
    updatedReadyPods: REPLICAS,
  });
  const revision = beta.status?.latestRevision;
  for (const { metadata, status } of pods) {
    const { annotations = {} } = metadata;
    const updateTimestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const entry = { sidecarSetName: name, sidecarList: ["sidecar"], updateTimestamp };
    expect(parseObject(annotations[HASH_ANNOTATION])).toEqual({
      [name]: { ...entry, hash, ...(revision && { controllerRevision: revision }) },
    });
    expect(parseObject(annotations[HASH_WITHOUT_IMAGE_ANNOTATION])).toEqual({
      [name]: { ...entry, hash: hashWithoutImage },
    });
    expect(annotations[INJECTED_LIST_ANNOTATION]).toBe(name);
    if (upgrades === 0) continue; // Kruise writes the condition when a pod is to be upgraded, not before
    const conditions = (status?.conditions ?? []) as { type: string; status: string; message?: string }[];
    const upgradable = conditions.find(({ type }) => type === "SidecarSetUpgradable");
    expect({ ...upgradable, message: parseObject(upgradable?.message) }).toMatchObject({
      status: "True",
      reason: "AllSidecarsetUpgradable",
      message: { [name]: true },
    });
  }
}

/** What the two processes were started with. */
function environments(pod: Pod): Record<string, (string | undefined)[]> {
  return Object.fromEntries(
    ["sidecar-1", "sidecar-2"].map((name) => {
      const env = containerEnv(pod, name);
      return [name, [env["SIDECARSET_VERSION"], env["SIDECARSET_VERSION_ALT"], env["IS_INJECTED"]]];
    }),
  );
}

/** Waits until SidecarSet and pods say that everything runs `image`. */
async function settledOn(name: string, namespace: string, image: string): Promise<Pod[]> {
  kit.waitReady(name);
  const settled = (pod: Pod): boolean =>
    kit.isReady(pod) &&
    pairState(pod).versions.includes("0") &&
    pairState(pod).images.includes(image) &&
    ["sidecar-1", "sidecar-2"].every((side) => statusOf(pod, side)?.ready === true);
  return kit.until(
    `${REPLICAS} pods settled on ${image}`,
    async () => {
      const found = await kit.pods(namespace);
      return found.length === REPLICAS && found.every(settled) && found;
    },
    30_000,
    async () => (await kit.pods(namespace)).map((pod) => [pairState(pod), pod.status?.containerStatuses]),
  );
}

/**
 * The version that an upgrade has given each pod, by uid. Pods of one upgrade may differ: whose write met one of its
 * kubelet is written again, with what the SidecarSet is by then, as its status counts, too.
 */
const versionsOf = (pods: readonly Pod[], side: 0 | 1): Map<string | undefined, string> =>
  new Map(pods.map((pod) => [pod.metadata.uid, pairState(pod).versions[side]]));

interface Walk {
  readonly name: string;
  readonly namespace: string;
  readonly image: (version: string) => string;
  readonly empty: string;
  /** Changes the image of the SidecarSet, in an API version of the walk's choice; resolves with the new resourceVersion. */
  readonly change: (image: string) => Promise<string | undefined>;
}

/** v1 → v2 → v3; before, the pods are injected and Ready. */
async function walk({ name, namespace, image, empty, change }: Walk): Promise<void> {
  const history = await watchPods(namespace);
  const first = await settledOn(name, namespace, image("v1"));
  const load = kit.startLoad(first);
  await expectRecorded(name, first, 0);
  const start = injectedState(image("v1"), empty);
  for (const pod of first) {
    expect(pairState(pod)).toEqual(start);
    if (kit.own)
      expect(environments(pod)).toEqual({ "sidecar-1": ["1", "0", "true"], "sidecar-2": ["0", "1", "true"] });
  }

  const afterSecond = BigInt((await change(image("v2"))) ?? "");
  const second = await settledOn(name, namespace, image("v2"));
  await expectRecorded(name, second, 1);
  const v2Of = versionsOf(second, 1);
  for (const pod of second) {
    const v2 = v2Of.get(pod.metadata.uid) ?? "";
    expect(BigInt(v2)).toBeGreaterThanOrEqual(afterSecond);
    // the new process was told that it takes over from 1; the emptied one that it does nothing
    if (kit.own) expect(environments(pod)).toEqual({ "sidecar-1": ["0", v2, "true"], "sidecar-2": [v2, "1", "true"] });
  }

  const afterThird = BigInt((await change(image("v3"))) ?? "");
  const third = await settledOn(name, namespace, image("v3"));
  await expectRecorded(name, third, 2);
  const v3Of = versionsOf(third, 0);
  const uids = (pods: readonly Pod[]): unknown[] => pods.map(({ metadata }) => metadata.uid);
  expect(uids(third)).toEqual(uids(first));
  for (const pod of third) {
    const v2 = v2Of.get(pod.metadata.uid) ?? "";
    const v3 = v3Of.get(pod.metadata.uid) ?? "";
    expect(BigInt(v3)).toBeGreaterThanOrEqual(afterThird);
    expect(BigInt(v3)).toBeGreaterThan(BigInt(v2));
    const upgrade2 = upgraded(start, image("v2"), v2);
    const reset2 = reset(upgrade2, empty);
    const upgrade3 = upgraded(reset2, image("v3"), v3);
    const expected: PairState[] = [start, upgrade2, reset2, upgrade3, reset(upgrade3, empty)];
    expect(expected.map(({ working }) => working.slice(-2))).toEqual(["-1", "-2", "-2", "-1", "-1"]);
    if (kit.own) expect(environments(pod)).toEqual({ "sidecar-1": [v3, v2, "true"], "sidecar-2": ["0", v3, "true"] });
    const seen = history.of(pod);
    expect(pairStates(seen)).toEqual(expected);
    expectAppUntouched(seen);
    // v1, empty, v3 and empty, v2, empty: each image change is one container, and nothing else restarted
    expect(containerIDs(seen, "sidecar-1")).toHaveLength(3);
    expect(containerIDs(seen, "sidecar-2")).toHaveLength(3);
    const inPlace = parseObject(pod.metadata.annotations?.[IN_PLACE_STATE_ANNOTATION])?.[name];
    expect(inPlace).toMatchObject({ lastContainerStatuses: { "sidecar-1": {}, "sidecar-2": {} } });
  }

  await kit.until("answers of v3 from every pod", () => {
    const answers = Object.values(load.report().answersBySidecar);
    return answers.length === REPLICAS && answers.every((of) => Object.keys(of).some((by) => by.startsWith("v3/")));
  });
  const report = await load.stop();
  expect(kit.losses(report)).toEqual([]);
  for (const of of Object.values(report.answersBySidecar)) {
    expect(Object.keys(of).map((by) => by.split("/")[0])).toEqual(["v1", "v2", "v3"]);
  }
}

async function changeImage(version: Resource, name: string, image: string): Promise<string | undefined> {
  const body = [{ op: "replace", path: "/spec/containers/0/image", value: image }];
  const { metadata } = await kit.api().patch<Stored>(version, name, { type: "json", body });
  return metadata.resourceVersion;
}

test("the article's SidecarSet as printed, in v1alpha1: no request fails, the sides alternate", async () => {
  const namespace = await kit.namespace();
  const manifest = parse(await readFile("samples/article/sidecarset.yaml", "utf8")) as SidecarSet;
  const name = manifest.metadata.name ?? "";
  onTestFinished(() => void kit.kubectl(["delete", "sidecarset", name, "--ignore-not-found", "--wait=false"]));
  const warnings: string[] = [];
  await using user = connect({ kubeconfig: inject("kubeconfig"), onWarning: (text) => warnings.push(text) });
  // all pods at once, so that the walk is short; everything else is the article's
  manifest.spec.updateStrategy = { maxUnavailable: "100%" };
  await user.create(V1ALPHA1, manifest);
  expect(warnings.map((text) => /HOT\d{4}/.exec(text)?.[0])).toEqual(["HOT3902", "HOT3903"]);
  const [alpha, beta] = await inBothVersions(name);
  for (const { spec } of [alpha, beta]) {
    expect(spec.containers?.[0]).not.toHaveProperty("hotUpgradeEmptyImage");
    expect(spec.containers?.[0]?.upgradeStrategy).toEqual({
      upgradeType: "HotUpgrade",
      hotUpgradeEmptyImage: article("empty"),
    });
  }

  kit.apply(kit.deployment({ namespace, replicas: REPLICAS, app: "hotupgrade" }));
  await kit.until("three pods", async () => (await kit.pods(namespace)).length === REPLICAS);
  kit.kubectl(["wait", "pods", "--all", "-n", namespace, "--for=condition=Ready", "--timeout=60s"]);
  const image = (version: string): string => article(`sidecar${version}`);
  await walk({ name, namespace, image, empty: article("empty"), change: (to) => changeImage(V1ALPHA1, name, to) });
});

test("the same with a receipt, in v1beta1", async () => {
  const namespace = await kit.namespace();
  const name = kit.unique("mesh");
  await kit.injected({ name, namespace }, REPLICAS);
  await walk({
    name,
    namespace,
    image: kit.image,
    empty: kit.EMPTY,
    change: (to) => changeImage(SIDECAR_SETS, name, to),
  });
});

test("what one API version has and the other has not is kept through the conversion webhook", async () => {
  const namespace = await kit.namespace();
  const name = kit.unique("mesh");
  const { spec } = kit.sidecarSet({ name, namespace }) as SidecarSet;
  const label = "apps.kruise.io/sidecarset-custom-version";
  await kit.api().create(V1ALPHA1, {
    apiVersion: "apps.kruise.io/v1alpha1",
    kind: "SidecarSet",
    metadata: { name, labels: { [label]: "blue", team: "net" } },
    spec: { ...spec, namespaceSelector: undefined, namespace },
  });
  const [alpha, beta] = await inBothVersions(name);
  const selector = { matchLabels: { "kubernetes.io/metadata.name": namespace } };
  expect(beta.spec).toMatchObject({ customVersion: "blue", namespaceSelector: selector });
  expect(beta.spec).not.toHaveProperty("namespace");
  expect(beta.metadata.labels).toEqual({ team: "net" });
  // upstream never gives the namespace back either: the selector means the same
  expect(alpha.spec).toMatchObject({ namespaceSelector: selector });
  expect(alpha.spec).not.toHaveProperty("customVersion");
  expect(alpha.metadata.labels).toEqual({ team: "net", [label]: "blue" });

  const body = [{ op: "replace", path: `/metadata/labels/${label.replace("/", "~1")}`, value: "green" }];
  await kit.api().patch(V1ALPHA1, name, { type: "json", body });
  expect((await kit.getSidecarSet(name)).spec).toMatchObject({ customVersion: "green" });
});
