// SPDX-License-Identifier: Apache-2.0
import { injectPod } from "@hot/inject";
import { defaultSidecarSet, type Container, type Pod, type SidecarContainer, type SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { projectPod } from "../../src/index.ts";
import { changedFields } from "../../src/plan/changed-fields.ts";
import { planFor } from "../support/planning.ts";

const proxy: SidecarContainer = {
  name: "proxy",
  image: "proxy:1",
  command: ["/proxy"],
  args: ["--port", "80"],
  ports: [{ containerPort: 80 }],
  env: [
    { name: "A", value: "1" },
    { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
  ],
  resources: { limits: { cpu: "1000m", memory: "0.5Gi" } },
  readinessProbe: { exec: { command: ["/hot-standby", "probe"] } },
  livenessProbe: { httpGet: { port: 80 } },
  lifecycle: { postStart: { exec: { command: ["/migrate"] } } },
  upgradeStrategy: { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: "e:1" },
  securityContext: { runAsUser: 7, privileged: false },
};

/** As the webhook stores it. */
function stored(...containers: SidecarContainer[]): SidecarSet {
  const set = {
    apiVersion: "apps.kruise.io/v1beta1",
    kind: "SidecarSet",
    metadata: { name: "mesh", generation: 1, resourceVersion: "50" },
    spec: { selector: { matchLabels: { app: "web" } }, containers },
  };
  return defaultSidecarSet(set, "v1beta1").object;
}

/** A pod as the API server stores it after injection: its defaults and what other plugins add. */
function podOf(set: SidecarSet): Pod {
  const pod: Pod = {
    metadata: { name: "web-0", namespace: "ns1", uid: "u", labels: { app: "web" } },
    spec: { containers: [{ name: "main", image: "m:1" }] },
  };
  const injected = injectPod({ pod, namespace: { name: "ns1" }, sidecarSets: [set], now: "2030-01-01T00:00:00Z" }).pod;
  const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
  const containers = injected.spec.containers.map((one): Container => {
    const limits = one.resources?.limits;
    const { httpGet, ...live } = one.livenessProbe ?? {};
    return {
      ...one,
      ...(limits && { resources: { limits: { cpu: "1", memory: "512Mi" }, requests: { cpu: "1", memory: "512Mi" } } }),
      ...(one.readinessProbe && { readinessProbe: { ...probe, ...one.readinessProbe } }),
      ...(httpGet && { livenessProbe: { ...probe, ...live, httpGet: { path: "/", scheme: "HTTP", ...httpGet } } }),
      ...(one.ports && { ports: one.ports.map((port) => Object.assign({ protocol: "TCP" as const }, port)) }),
      volumeMounts: [
        ...(one.volumeMounts ?? []),
        { name: "kube-api-access-x7k", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true },
      ],
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
    };
  });
  return { ...injected, spec: { ...injected.spec, containers } };
}

const named = (before: SidecarContainer, after: SidecarContainer): string =>
  changedFields(projectPod(podOf(stored(before))), stored(after));
const end = (fields: string): string => `${fields} of proxy changed; recreate the pod to apply them`;
const { lifecycle: _, ...withoutLifecycle } = proxy;

test("nothing is named where nothing has changed, whatever an API server adds", () => {
  expect(named(proxy, proxy)).toBe("");
  expect(named(proxy, { ...proxy, image: "proxy:2" })).toBe("");
  expect(named({ name: "proxy", image: "proxy:1" }, { name: "proxy", image: "proxy:2" })).toBe("");
});

test.each<[string, SidecarContainer]>([
  ["env", { ...proxy, env: [{ name: "A", value: "2" }] }],
  ["env", { ...proxy, env: [...(proxy.env ?? []), { name: "B", value: "2" }] }],
  ["args", { ...proxy, args: ["--port"] }],
  ["command, ports", { ...proxy, command: ["/other"], ports: [{ containerPort: 81 }] }],
  ["env, resources", { ...proxy, env: [{ name: "A", value: "x" }], resources: { limits: { cpu: "2" } } }],
  ["readinessProbe", { ...proxy, readinessProbe: { exec: { command: ["/hot-standby", "other"] } } }],
  ["livenessProbe", { ...proxy, livenessProbe: { httpGet: { port: 80 }, periodSeconds: 3 } }],
  ["lifecycle", withoutLifecycle],
  ["securityContext", { ...proxy, securityContext: { runAsUser: 8 } }],
  ["volumeMounts", { ...proxy, volumeMounts: [{ name: "v", mountPath: "/v" }] }],
  ["imagePullPolicy", { ...proxy, image: "proxy:latest" }],
])("%s", (fields, after) => {
  expect(named(proxy, after)).toBe(end(fields));
});

test("an admission plugin that sets the pull policy is not named beside another field", () => {
  const pod = podOf(stored(proxy));
  for (const one of pod.spec.containers) one.imagePullPolicy = "Always";
  expect(changedFields(projectPod(pod), stored({ ...proxy, args: [] }))).toBe(end("args"));
});

test("several containers; one whose fields are not known is left out", () => {
  const cold = { name: "cold", image: "c:1", args: ["a"] };
  const pod = projectPod(podOf(stored(proxy, cold)));
  const after = stored({ ...proxy, command: ["/other"] }, { ...cold, args: ["b"] });
  expect(changedFields(pod, after)).toBe("command of proxy; args of cold changed; recreate the pod to apply them");
  expect(changedFields(projectPod(podOf(stored(cold))), after)).toBe(
    "args of cold changed; recreate the pod to apply them",
  );
});

test("report and event name them", () => {
  const cold = { name: "proxy", image: "proxy:1", args: ["a"] };
  const planned = planFor([podOf(stored(cold))], stored({ ...cold, image: "proxy:2", args: ["b"] }));
  expect(planned.pods[0]).toMatchObject({ reason: "NotUpgradable", detail: end("args") });
  expect(planned.conditions[0]?.events[0]?.message).toContain(`web-0: ${end("args")}`);
});
