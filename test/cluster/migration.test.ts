// SPDX-License-Identifier: Apache-2.0
// The migration from Kruise and back in docs/operations.md, typed as it stands there. Kruise's release, webhooks and
// objects are real to Helm, kubectl and the API server; its manager does nothing.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  defaultSidecarSet,
  REVISION_OWNER_LABEL,
  toV1Alpha1,
  toV1Beta1,
  type Pod,
  type SidecarSet,
  type SidecarSetV1Alpha1,
} from "@hot/spec";
import { expect, onTestFinished, test } from "vitest";
import { injectPod } from "../../packages/inject/src/index.ts";
import { webhookServer, type WebhookServer } from "../../packages/local/test/contract/webhook-server.ts";
import type { Cluster } from "../../tools/cluster/cluster.ts";
import {
  bareCluster,
  containersOf,
  conversionStrategy,
  expectInjection,
  LIMIT_MS,
  operations,
  podsOf,
} from "./bare-cluster.ts";
import * as kit from "./kit.ts";
import { writeKruiseChart } from "./kruise-release.ts";
import { pairState } from "./pair-state.ts";
import { statusOf } from "./pod-history.ts";
import { type } from "./typed-commands.ts";

/** Answers as Kruise's webhooks do for objects that are as Kruise stores them. */
async function kruiseWebhooks(on: Cluster): Promise<WebhookServer> {
  const server = await webhookServer(on.at.host);
  onTestFinished(() => server.close());
  for (const path of ["/mutate", "/validate"]) server.on(path, () => ({ allowed: true }));
  server.on("/convert", ({ desiredAPIVersion, objects }: { desiredAPIVersion: string; objects: object[] }) => ({
    convertedObjects: objects.map((one) =>
      desiredAPIVersion.endsWith("v1alpha1") ? toV1Alpha1(one as SidecarSet) : toV1Beta1(one as SidecarSetV1Alpha1),
    ),
    result: { status: "Success" },
  }));
  return server;
}

/** A SidecarSet as Kruise stores it, one of its revisions, its configuration, and two pods as Kruise injects them. */
function kruiseObjects(): object[] {
  const raw = kit.newSidecarSet({ name: "mesh", namespace: "default" });
  const { object } = defaultSidecarSet(raw, "v1beta1");
  const namespace = { name: "default", labels: { "kubernetes.io/metadata.name": "default" } };
  const pods = ["web-a", "web-b"].map((name) => {
    const pod: Pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "default", labels: { app: "web" } },
      spec: { containers: [{ name: "app", image: "localhost/hot/demo-app:v1" }] },
    };
    return injectPod({ pod, namespace, sidecarSets: [object], now: "2026-01-02T03:04:05Z" }).pod;
  });
  const revision = {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: { name: "mesh-older", namespace: "kruise-system", labels: { [REVISION_OWNER_LABEL]: "mesh" } },
    revision: 1,
    data: { spec: object.spec },
  };
  const rules = [{ allowedAnnotationKeyExprs: ["^team$"] }];
  const configuration = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "kruise-configuration", namespace: "kruise-system" },
    data: { SidecarSet_PatchPodMetadata_WhiteList: JSON.stringify({ rules }) },
  };
  return [object, ...pods, revision, configuration];
}

test(
  "migration from Kruise, back, and to the end",
  async () => {
    const on = await bareCluster();
    const kruise = await kruiseWebhooks(on);
    const folder = mkdtempSync(join(tmpdir(), "hot-kruise-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeKruiseChart(folder, (path) => kruise.clientConfig(path));
    await type(on, `helm install kruise ${folder} -n default --wait --timeout 2m`);
    await type(on, "kubectl apply -f -", JSON.stringify({ apiVersion: "v1", kind: "List", items: kruiseObjects() }));
    await type(on, "kubectl wait pods -l app=web --for=condition=Ready --timeout=2m");
    const before = podsOf(on);

    const [copy = "", stop = "", workloadsOnly = "", install = "", revisions = "", annotations = "", adopt = ""] =
      operations.blocks("Migration from OpenKruise", 7);
    expect(await type(on, `cd ${folder}\n${copy}cat sidecarsets.yaml`)).toMatch(/^    name: mesh$/m);
    await type(on, stop);
    await type(on, workloadsOnly);
    const refused = type(on, install.replace("--set crds.install=false", ""));
    await expect(refused).rejects.toThrow("exists and cannot be imported");
    expect(await type(on, install)).toMatch(/^mesh /m);
    await type(on, revisions);
    await type(on, "kubectl get controllerrevision -n hot-system mesh-older");
    const team = `{"spec":{"patchPodMetadata":[{"annotations":{"team":"mesh"},"patchPolicy":"Retain"}]}}`;
    const annotate = `kubectl patch sidecarset mesh --type=merge --dry-run=server -p '${team}'`;
    await expect(type(on, annotate)).rejects.toThrow("HOT3306");
    await type(on, annotations);
    await type(on, annotate);
    await type(on, "kubectl wait sidecarset/mesh --for=jsonpath='{.status.updatedReadyPods}'=2 --timeout=2m");
    expect(containersOf(podsOf(on)), "nothing was upgraded by the move").toEqual(containersOf(before));
    await expectInjection(on);
    expect(await type(on, "kubectl get sidecarsets.v1alpha1.apps.kruise.io mesh")).toContain("mesh");

    const image = `[{"op":"replace","path":"/spec/containers/0/image","value":"${kit.image("v2")}"}]`;
    await type(on, `kubectl patch sidecarset mesh --type=json -p '${image}'`);
    await kit.until(
      "both pods are on the new side",
      () => podsOf(on).every((pod) => isDeepStrictEqual(pairState(pod).images, [kit.EMPTY, kit.image("v2")])),
      120_000,
      () => podsOf(on).map((pod) => pairState(pod)),
    );
    for (const pod of podsOf(on)) {
      expect(pairState(pod)).toMatchObject({ working: "sidecar-2" });
      expect(statusOf(pod, "app")).toMatchObject({ restartCount: 0 });
    }
    expect(await type(on, "kubectl get sidecarset mesh -o jsonpath='{.status.conditions}'")).toBe("");
    const logs = "kubectl logs -n hot-system -l app.kubernetes.io/name=hot --tail=-1";
    expect(await type(on, logs), "the definition is Kruise's, and drops a field").toContain("HOT5003");

    const [back = ""] = operations.blocks("And back", 1);
    const [uninstall = "", ...kruiseAgain] = back.trim().split("\n");
    await type(on, uninstall);
    expect(conversionStrategy(on), "what Kruise needs to register its own").toBe("Webhook");
    const conversion = {
      strategy: "Webhook",
      webhook: { clientConfig: { service: null, ...kruise.clientConfig("/convert") } },
    };
    on.kubectl([
      "patch",
      "crd",
      "sidecarsets.apps.kruise.io",
      "--type=merge",
      "-p",
      JSON.stringify({ spec: { conversion } }),
    ]);
    expect(await type(on, kruiseAgain.join("\n"))).toMatch(/^mesh /m);

    await type(on, install);
    await type(on, adopt);
    for (const command of operations.inline("Migration from OpenKruise", "kubectl delete secret")) {
      await type(on, command.replace("<namespace>", "default"));
    }
    await expect(type(on, "helm uninstall kruise -n default")).rejects.toThrow("not found");
    await type(on, "kubectl wait sidecarset/mesh --for=condition=Ready --timeout=2m");

    const [, , byHand = ""] = operations.blocks("Uninstall", 3);
    await type(on, "kubectl cordon n1");
    await expect(type(on, "helm uninstall hot -n hot-system --wait --timeout 5s")).rejects.toThrow();
    await expectInjection(on);
    await type(on, byHand);
    expect(conversionStrategy(on)).toBe("None");
    expect(await type(on, "kubectl get sidecarsets")).toMatch(/^mesh /m);
  },
  LIMIT_MS,
);
