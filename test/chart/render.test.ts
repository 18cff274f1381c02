// SPDX-License-Identifier: Apache-2.0
// Each switch of the chart, seen in what is rendered.
import { describe, expect, test } from "vitest";
import { container, find, helmIsThere, lint, names, NAMESPACE, render, workload, type Workload } from "./chart.ts";

const SECURE = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};
const NOBODY = { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, seccompProfile: { type: "RuntimeDefault" } };
const EVERYTHING = {
  separateController: { enabled: true },
  certManager: { enabled: true },
  serviceMonitor: { enabled: true },
  networkPolicy: { enabled: true, webhookFrom: ["10.0.0.0/8"], healthFrom: [{ podSelector: {} }] },
  image: { pullSecrets: ["registry"] },
  nodeSelector: { disk: "fast" },
  tolerations: [{ key: "infra", operator: "Exists" }],
  topologySpreadConstraints: [{ topologyKey: "topology.kubernetes.io/zone" }],
  podAnnotations: { a: "b" },
  podLabels: { team: "mesh" },
  extraEnv: [{ name: "TZ", value: "UTC" }],
  serviceAccount: { annotations: { c: "d" } },
};

const spec = (one: Workload): Workload["template"]["spec"] => one.template.spec;

describe.skipIf(!helmIsThere)("the chart", () => {
  test("lint has nothing to say, with the defaults and with every switch on", () => {
    for (const values of [{}, EVERYTHING]) {
      const { status, output } = lint(values);
      expect(output).not.toMatch(/\[(ERROR|WARNING)\]/);
      expect(status).toBe(0);
    }
  });

  test("by default: one Deployment with both parts, and what belongs to it", () => {
    expect(names(render())).toEqual([
      "ClusterRole/hot-controller",
      "ClusterRole/hot-sidecarsets-edit",
      "ClusterRole/hot-sidecarsets-view",
      "ClusterRole/hot-webhook",
      "ClusterRoleBinding/hot-controller",
      "ClusterRoleBinding/hot-webhook",
      "CustomResourceDefinition/sidecarsets.apps.kruise.io",
      "Deployment/hot-webhook",
      "Job/hot-uninstall",
      "PodDisruptionBudget/hot-webhook",
      "Role/hot-controller",
      "Role/hot-webhook",
      "RoleBinding/hot-controller",
      "RoleBinding/hot-webhook",
      "Service/hot-webhook",
      "Service/hot-webhook-conversion",
      "ServiceAccount/hot-webhook",
    ]);
  });

  test("two replicas on different nodes where possible; an update never has fewer", () => {
    const deployment = workload(render());
    expect(deployment.replicas).toBe(2);
    expect(deployment.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    expect(spec(deployment)["affinity"]).toMatchObject({
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: deployment.selector } },
        ],
      },
    });
    expect(spec(deployment)["priorityClassName"]).toBe("system-cluster-critical");
  });

  test("replicas that are not ready get no admission requests, but can be asked to convert", () => {
    const objects = render();
    const { labels } = workload(objects).template.metadata;
    const ports = [{ name: "webhook", port: 443, targetPort: "webhook" }];
    expect(find(objects, "Service", "hot-webhook").spec).toEqual({ selector: labels, ports });
    expect(find(objects, "Service", "hot-webhook-conversion").spec).toEqual({
      publishNotReadyAddresses: true,
      selector: labels,
      ports,
    });
  });

  test("a drain takes one replica at a time, and is never blocked for ever", () => {
    const objects = render();
    expect(find(objects, "PodDisruptionBudget", "hot-webhook").spec).toEqual({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: workload(objects).selector,
    });
    expect(names(render({ podDisruptionBudget: { enabled: false } }))).not.toContain("PodDisruptionBudget/hot-webhook");
  });

  test("every container runs as nobody, read-only, without capabilities", () => {
    const objects = render(EVERYTHING);
    const all = [workload(objects), workload(objects, "hot-controller"), workload(objects, "hot-uninstall", "Job")];
    for (const one of all) {
      expect(spec(one).securityContext).toEqual(NOBODY);
      expect(container(one).securityContext).toEqual(SECURE);
      expect(container(one).resources.limits).toHaveProperty("memory");
    }
  });

  test("probes ask the health port: alive and ready are two questions", () => {
    const { startupProbe, readinessProbe, livenessProbe, ports } = container(workload(render()));
    expect(startupProbe).toMatchObject({ httpGet: { path: "/healthz", port: "health" } });
    expect(livenessProbe).toMatchObject({ httpGet: { path: "/healthz", port: "health" } });
    expect(readinessProbe).toMatchObject({ httpGet: { path: "/readyz", port: "health" } });
    expect(ports).toEqual([
      { name: "webhook", containerPort: 9443 },
      { name: "health", containerPort: 8081 },
    ]);
  });

  test("the Service leads to the replicas that admit, and to no other pod of the release", () => {
    const objects = render(EVERYTHING);
    const { selector, ports } = find(objects, "Service", "hot-webhook").spec as {
      selector: Record<string, string>;
      ports: object[];
    };
    expect(ports).toEqual([{ name: "webhook", port: 443, targetPort: "webhook" }]);
    const selects = (labels: Record<string, string>): boolean =>
      Object.entries(selector).every(([key, value]) => labels[key] === value);
    expect(selects(workload(objects).template.metadata.labels)).toBe(true);
    expect(selects(workload(objects, "hot-controller").template.metadata.labels)).toBe(false);
    expect(selects(workload(objects, "hot-uninstall", "Job").template.metadata.labels)).toBe(false);
  });

  test("a Deployment selects its own pods only", () => {
    const objects = render({ ...EVERYTHING, podLabels: {} });
    const labels = (one: Workload): Record<string, string> => one.template.metadata.labels;
    const [webhook, controller] = [workload(objects), workload(objects, "hot-controller")];
    expect(labels(webhook)).toMatchObject(webhook.selector.matchLabels);
    expect(labels(controller)).toMatchObject(controller.selector.matchLabels);
    expect(labels(controller)).not.toMatchObject(webhook.selector.matchLabels);
  });

  test("separateController: two Deployments, each with its own account, budget, size and role", () => {
    const objects = render({ separateController: { enabled: true, replicas: 3 } });
    const [webhook, controller] = [workload(objects), workload(objects, "hot-controller")];
    expect(container(webhook).args).toContain("--role=webhook");
    expect(container(controller).args).toContain("--role=controller");
    expect([webhook.replicas, controller.replicas]).toEqual([2, 3]);
    expect([spec(webhook), spec(controller)].map((pod) => pod.serviceAccountName)).toEqual([
      "hot-webhook",
      "hot-controller",
    ]);
    expect(names(objects)).toEqual(
      expect.arrayContaining([
        "PodDisruptionBudget/hot-controller",
        "ServiceAccount/hot-controller",
        "ServiceAccount/hot-webhook",
      ]),
    );
  });

  test("hostNetwork: ports of the node, so an update stops one replica before it starts the next", () => {
    const deployment = workload(render({ hostNetwork: true, ports: { webhook: 10443, health: 10081 } }));
    expect(spec(deployment)).toMatchObject({ hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" });
    expect(deployment.strategy.rollingUpdate).toEqual({ maxUnavailable: 1, maxSurge: 0 });
    expect(container(deployment).ports.map((port) => port.containerPort)).toEqual([10443, 10081]);
    expect(container(deployment).args).toEqual(expect.arrayContaining(["--port=10443", "--health-port=10081"]));
  });

  test("hostNetwork is for those that the API server calls: a controller apart takes no port of a node", () => {
    const objects = render({ hostNetwork: true, separateController: { enabled: true } });
    expect(spec(workload(objects))).toMatchObject({ hostNetwork: true });
    const controller = workload(objects, "hot-controller");
    expect(spec(controller)).not.toHaveProperty("hostNetwork");
    expect(controller.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
  });

  test("the image: tag of the chart, a tag of yours, or a digest", () => {
    const imageOf = (image: object): string => container(workload(render({ image }))).image;
    const digest = `sha256:${"0".repeat(64)}`;
    expect(imageOf({})).toBe("localhost/hot/webhook:0.1.0");
    expect(imageOf({ repository: "registry.example:5000/hot/webhook", tag: "v9" })).toBe(
      "registry.example:5000/hot/webhook:v9",
    );
    expect(imageOf({ tag: "v9", digest })).toBe(`localhost/hot/webhook@${digest}`);
  });

  test("where the pods run and what they carry", () => {
    const objects = render(EVERYTHING);
    for (const name of ["hot-webhook", "hot-controller"]) {
      const deployment = workload(objects, name);
      expect(spec(deployment)).toMatchObject({
        imagePullSecrets: [{ name: "registry" }],
        nodeSelector: { disk: "fast" },
        tolerations: [{ key: "infra", operator: "Exists" }],
        topologySpreadConstraints: [
          {
            topologyKey: "topology.kubernetes.io/zone",
            maxSkew: 1,
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: deployment.selector,
          },
        ],
      });
      expect(deployment.template.metadata).toMatchObject({ labels: { team: "mesh" }, annotations: { a: "b" } });
      expect(container(deployment).env).toContainEqual({ name: "TZ", value: "UTC" });
    }
    expect(find(objects, "ServiceAccount", "hot-controller").metadata.annotations).toEqual({ c: "d" });
  });

  test("antiAffinity: required, none, or your own affinity", () => {
    const affinity = (values: object): unknown => spec(workload(render({ ...values })))["affinity"];
    expect(affinity({ antiAffinity: "Required" })).toHaveProperty(
      "podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution",
    );
    expect(affinity({ antiAffinity: "None" })).toBeUndefined();
    expect(affinity({ affinity: { nodeAffinity: {} } })).toEqual({ nodeAffinity: {} });
  });

  test("the grace period is longer than the stop: 2 s of lame duck and a request of 10 s", () => {
    expect(spec(workload(render()))["terminationGracePeriodSeconds"]).toBeGreaterThan(2 + 10);
  });

  test("serviceMonitor: finds the metrics of both Deployments through a Service of its own", () => {
    const objects = render(EVERYTHING);
    const service = find(objects, "Service", "hot-metrics");
    const { selector } = service.spec as { selector: Record<string, string> };
    const monitor = find(objects, "ServiceMonitor", "hot").spec as { selector: { matchLabels: object } };
    expect(service.metadata.labels).toMatchObject(monitor.selector.matchLabels);
    expect(find(objects, "Service", "hot-webhook").metadata.labels).not.toMatchObject(monitor.selector.matchLabels);
    for (const name of ["hot-webhook", "hot-controller"])
      expect(workload(objects, name).template.metadata.labels).toMatchObject(selector);
  });

  test("networkPolicy: the webhook port for the API servers, the health port for whom you name", () => {
    const { ingress } = find(render(EVERYTHING), "NetworkPolicy", "hot").spec as { ingress: object[] };
    expect(ingress).toEqual([
      { ports: [{ port: "webhook" }], from: [{ ipBlock: { cidr: "10.0.0.0/8" } }] },
      { ports: [{ port: "health" }], from: [{ podSelector: {} }] },
    ]);
    const open = find(render({ networkPolicy: { enabled: true } }), "NetworkPolicy", "hot").spec;
    expect(open).toMatchObject({ ingress: [{ ports: [{ port: "webhook" }] }, { ports: [{ port: "health" }] }] });
    expect(JSON.stringify(open)).not.toContain("from");
  });

  test("certManager: what the certificate is for is what the Services are called, and the application gets its files", () => {
    const objects = render(EVERYTHING);
    const certificate = find(objects, "Certificate", "hot-webhook").spec as { secretName: string };
    expect(certificate).toMatchObject({
      dnsNames: ["hot-webhook", "hot-webhook-conversion"].flatMap((service) => [
        `${service}.${NAMESPACE}.svc`,
        `${service}.${NAMESPACE}.svc.cluster.local`,
      ]),
      issuerRef: { name: "hot-webhook", kind: "Issuer" },
    });
    expect(find(objects, "Issuer", "hot-webhook").spec).toEqual({ ca: { secretName: "hot-webhook-ca" } });
    expect(find(objects, "Certificate", "hot-webhook-ca").spec).toMatchObject({
      isCA: true,
      secretName: "hot-webhook-ca",
    });
    const webhook = workload(objects);
    const mounted = container(webhook).volumeMounts?.[0];
    expect(container(webhook).args).toContain(`--cert-dir=${mounted?.mountPath}`);
    expect(spec(webhook)["volumes"]).toEqual([{ name: mounted?.name, secret: { secretName: certificate.secretName } }]);
    expect(spec(workload(objects, "hot-controller"))["volumes"]).toBeUndefined();
  });

  test("certManager with an issuer of yours: no authority is made", () => {
    const objects = render({ certManager: { enabled: true, issuerRef: { name: "corp", kind: "ClusterIssuer" } } });
    expect(names(objects).filter((name) => /Issuer|Certificate/.test(name))).toEqual(["Certificate/hot-webhook"]);
    expect(find(objects, "Certificate", "hot-webhook").spec).toMatchObject({
      issuerRef: { name: "corp", kind: "ClusterIssuer" },
    });
  });

  test("before an uninstall the same image takes the webhook configurations away; not with the Job switched off", () => {
    const objects = render();
    const job = find(objects, "Job", "hot-uninstall");
    expect(job.metadata.annotations).toEqual({
      "helm.sh/hook": "pre-delete",
      "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    });
    const pod = workload(objects, "hot-uninstall", "Job");
    expect(container(pod).args[0]).toBe("uninstall");
    expect(container(pod).image).toBe(container(workload(objects)).image);
    expect(spec(pod).serviceAccountName).toBe("hot-webhook");
    // Kruise takes the conversion of its CustomResourceDefinition back only if that is a webhook's still.
    const uninstall = (values: object): string[] =>
      container(workload(render({ ...values }), "hot-uninstall", "Job")).args;
    expect(uninstall({})).toContain("--revert-conversion");
    expect(uninstall({ crds: { install: false } })).not.toContain("--revert-conversion");
    expect(names(render({ uninstallJob: { enabled: false } }))).not.toContain("Job/hot-uninstall");
  });
});
