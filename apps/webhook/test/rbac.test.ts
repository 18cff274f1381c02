// SPDX-License-Identifier: Apache-2.0
import {
  createEventRecorder,
  createReflector,
  RESOURCES,
  systemClock,
  type KubeObject,
  type Resource,
} from "@hot/kube";
import { FakeApi, type Call } from "@hot/kube/testing";
import { projectPod, type PodProjection } from "@hot/controller";
import { GROUP, PLURAL, type ControllerRevision, type Pod, type SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { nextCertificates, type Certificates } from "../src/certs/serving.ts";
import { parseConfig, type Config } from "../src/config.ts";
import { startControllerRole } from "../src/controller-role.ts";
import { createLog } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import { RULES, type Rule } from "../src/rbac.ts";
import { createRegistration } from "../src/registration.ts";
import type { Shared } from "../src/shared.ts";
import { uninstall } from "../src/uninstall.ts";
import { listed } from "./fake-api.ts";

const namespace = "hot-system";
const SIDECAR_SETS: Resource = { group: GROUP, version: "v1beta1", plural: PLURAL, namespaced: false };
const log = createLog("error", () => undefined);

/** The rule that allows a call; its name counts where the verb can be restricted by name. */
function ruleFor(role: Rule["role"], { verb, resource, subresource, name, namespace: where }: Call): Rule | undefined {
  const full = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  return RULES.find(
    (rule) =>
      rule.role === role &&
      rule.apiGroup === resource.group &&
      rule.resource === full &&
      rule.verbs.includes(verb) &&
      (rule.resourceName === undefined || rule.resourceName === name) &&
      (rule.scope === "cluster" || where === namespace),
  );
}

const used = (role: Rule["role"], calls: readonly Call[]): Set<string> => {
  const found = calls.map((call) => {
    const rule = ruleFor(role, call);
    expect(
      rule,
      `${role}: ${call.verb} ${call.resource.plural} ${call.namespace ?? ""}/${call.name ?? ""}`,
    ).toBeDefined();
    return `${rule?.resource} ${call.verb}`;
  });
  return new Set(found);
};

const allowed = (role: Rule["role"]): Set<string> =>
  new Set(
    RULES.filter((rule) => rule.role === role).flatMap(({ resource, verbs }) =>
      verbs.map((one) => `${resource} ${one}`),
    ),
  );

test("the rules are for names and verbs one by one: no wildcard, no list of secrets, no write to nodes", () => {
  for (const { apiGroup, resource, verbs } of RULES) {
    expect([apiGroup, resource, ...verbs].join(" ")).not.toContain("*");
    if (resource === "secrets") for (const verb of ["list", "watch", "delete"]) expect(verbs).not.toContain(verb);
    expect(resource).not.toBe("nodes");
    expect(verbs).not.toContain("deletecollection");
  }
});

test("the admission part asks for what its rules allow, and for nothing else", async () => {
  const api = new FakeApi();
  api.seed(RESOURCES.customResourceDefinitions, { metadata: { name: `${PLURAL}.${GROUP}` }, spec: {} });
  let day = 0;
  const next = (present?: Certificates): Promise<Certificates> =>
    nextCertificates({ api, namespace, now: new Date(Date.UTC(2030, 0, 1 + day)) }, present);
  const look = async (url: object): Promise<void> => {
    const stop = new AbortController();
    const registration = createRegistration({
      api,
      namespace,
      ...url,
      installation: "sa-1",
      leafMs: 1_000,
      failurePolicy: "Fail",
      sidecarSets: listed,
      certificates: await next(),
      next: (present) => next(present),
      serve: () => undefined,
      clock: systemClock,
      log,
    });
    const running = registration.run(stop.signal);
    await expect.poll(() => registration.registered()).toBe(true);
    stop.abort();
    await running;
  };
  await look({});
  day = 330; // a new authority
  await look({});
  await uninstall({ api, namespace, installation: "sa-1", revertConversion: true });
  const recorder = createEventRecorder({ api, component: "c", clock: systemClock });
  const text = { type: "Warning", reason: "InjectionSkipped", action: "Injecting", note: "n" } as const;
  const regarding = { metadata: { name: "mesh" } };
  recorder.event(regarding, text);
  await recorder.flush();
  recorder.event(regarding, text);
  await recorder.flush();
  const reads: Call[] = [
    // By reflectors and by `namespaceOf`; what they ask for is in their own tests.
    ...([SIDECAR_SETS, RESOURCES.namespaces] as const).flatMap((resource): Call[] => [
      { verb: "list", resource },
      { verb: "watch", resource },
    ]),
    { verb: "list", resource: RESOURCES.controllerRevisions, namespace },
    { verb: "watch", resource: RESOURCES.controllerRevisions, namespace },
    { verb: "get", resource: RESOURCES.namespaces, name: "shop" },
    // By `readMetadataRules`.
    { verb: "get", resource: RESOURCES.configMaps, name: "kruise-configuration", namespace },
  ];
  expect([...used("webhook", [...api.calls, ...reads])].sort((a, b) => a.localeCompare(b))).toEqual(
    [...allowed("webhook")].sort((a, b) => a.localeCompare(b)),
  );
});

test("the controller asks for what its rules allow, and for nothing else", async () => {
  const api = new FakeApi();
  const stop = new AbortController();
  const shared: Shared = {
    api,
    log,
    metrics: createMetrics(),
    events: createEventRecorder({ api, component: "c", clock: systemClock }),
    sidecarSets: createReflector<SidecarSet & KubeObject>({ api, resource: SIDECAR_SETS }),
    namespaces: createReflector({ api, resource: RESOURCES.namespaces }),
    revisions: createReflector<ControllerRevision & KubeObject>({
      api,
      resource: RESOURCES.controllerRevisions,
      namespace,
    }),
    pods: createReflector<Pod & KubeObject, PodProjection>({
      api,
      resource: RESOURCES.pods,
      project: projectPod,
    }),
  };
  api.seed(RESOURCES.namespaces, { metadata: { name: "shop" } });
  const { sidecarSets, namespaces, revisions } = shared;
  const role = startControllerRole(parseConfig([], {}) as Config, shared, { identity: "a" });
  const running = [sidecarSets, namespaces, revisions, ...role.parts].map((one) => one.run(stop.signal));
  await expect
    .poll(() => api.calls.some(({ resource, verb }) => resource.plural === "leases" && verb === "create"))
    .toBe(true);
  api.seed(SIDECAR_SETS, MESH);
  for (const name of ["web-0", "web-1"]) api.seed(RESOURCES.pods, pod(name));
  const has = (verb: string, plural: string, subresource?: string) => (): boolean =>
    api.calls.some((call) => call.verb === verb && call.resource.plural === plural && call.subresource === subresource);
  for (const seen of [has("patch", "pods"), has("patch", PLURAL, "status"), has("update", "leases")]) {
    await expect.poll(seen, { timeout: 5_000 }).toBe(true);
  }
  stop.abort();
  await Promise.all(running);
  const found = used("controller", api.calls);
  for (const one of found) expect(allowed("controller")).toContain(one);
  // Not met on this way: the live read of a SidecarSet, that of a pod after a conflict, events of a hot upgrade.
  const rare = [`${PLURAL} get`, "pods get", "events create", "events patch", `${PLURAL}/finalizers update`];
  // A revision that is renumbered, deleted, or whose name is taken.
  rare.push(...["get", "patch", "delete"].map((verb) => `controllerrevisions ${verb}`));
  expect([...new Set([...found, ...rare])].sort((a, b) => a.localeCompare(b))).toEqual(
    [...allowed("controller")].sort((a, b) => a.localeCompare(b)),
  );
}, 20_000);

const MESH = {
  apiVersion: `${GROUP}/v1beta1`,
  kind: "SidecarSet",
  metadata: {
    name: "mesh",
    generation: 1,
    annotations: { "kruise.io/sidecarset-hash": "h2", "kruise.io/sidecarset-hash-without-image": "w" },
  },
  spec: {
    selector: { matchLabels: { app: "web" } },
    updateStrategy: { type: "RollingUpdate", maxUnavailable: "100%" },
    containers: [{ name: "side", image: "side:v2" }],
  },
};

function pod(name: string): KubeObject & object {
  const entry = { hash: "h1", sidecarSetName: "mesh", sidecarList: ["side"], updateTimestamp: "2030-01-01T00:00:00Z" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "shop",
      labels: { app: "web" },
      annotations: {
        "kruise.io/sidecarset-hash": JSON.stringify({ mesh: entry }),
        "kruise.io/sidecarset-hash-without-image": JSON.stringify({ mesh: { ...entry, hash: "w" } }),
        "kruise.io/sidecarset-injected-list": "mesh",
      },
    },
    spec: {
      containers: [
        { name: "app", image: "app:v1" },
        { name: "side", image: "side:v1" },
      ],
    },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: ["app", "side"].map((one) => ({
        name: one,
        image: `${one}:v1`,
        imageID: `${one}@1`,
        containerID: `c://${one}`,
        ready: true,
        restartCount: 0,
        state: { running: {} },
      })),
    },
  } as KubeObject;
}
