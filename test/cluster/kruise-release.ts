// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sidecarSetCrd } from "@hot/spec";
import { KRUISE_STATUS } from "../../packages/controller/test/support/kruise-status.ts";
import { EMPTY } from "./kit.ts";

export interface KruiseWebhook {
  url: string;
  caBundle: string;
}

/**
 * A chart that leaves on a cluster what Kruise's chart does, as far as a migration meets it: the definition with its
 * conversion and without the fields of ours, the webhook configurations, and a manager, which here does nothing.
 *
 * @param answers who answers Kruise's webhooks: `/mutate`, `/validate`, `/convert`
 */
export function writeKruiseChart(folder: string, answers: (path: string) => KruiseWebhook): void {
  mkdirSync(join(folder, "templates"), { recursive: true });
  writeFileSync(join(folder, "Chart.yaml"), JSON.stringify({ apiVersion: "v2", name: "kruise", version: "1.9.0" }));
  const objects = [namespace, definition(answers("/convert")), manager, ...configurations(answers)];
  const text = objects.map((one) => JSON.stringify(one)).join("\n---\n");
  if (text.includes("{{")) throw new Error("Helm would evaluate a text of an object");
  writeFileSync(join(folder, "templates", "all.yaml"), text);
}

const NAMESPACE = "kruise-system";
const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
const labels = { "control-plane": "controller-manager" };
const manager = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "kruise-controller-manager", namespace: NAMESPACE },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: "manager", image: EMPTY }] } },
  },
};

/** Kruise's definition prunes `spec.updateStrategy.hotUpgrade`, and of the status what is ours. */
function definition(answer: KruiseWebhook): object {
  const crd = sidecarSetCrd();
  const versions = JSON.parse(JSON.stringify(crd.spec.versions), (key, value: unknown) => {
    if (key === "hotUpgrade") return undefined;
    return key === "status" && isSchema(value)
      ? { ...value, properties: only(KRUISE_STATUS, value.properties) }
      : value;
  }) as unknown;
  const webhook = { clientConfig: answer, conversionReviewVersions: ["v1"] };
  return { ...crd, spec: { ...crd.spec, versions, conversion: { strategy: "Webhook", webhook } } };
}

function isSchema(value: unknown): value is { readonly properties: Readonly<Record<string, unknown>> } {
  return typeof value === "object" && value !== null && "properties" in value;
}

function only(names: ReadonlySet<string>, properties: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => names.has(name)));
}

function configurations(answers: (path: string) => KruiseWebhook): object[] {
  return (["mutating", "validating"] as const).map((kind) => {
    const word = kind === "mutating" ? "Mutating" : "Validating";
    const webhook = {
      name: `${kind === "mutating" ? "m" : "v"}sidecarset.kb.io`,
      clientConfig: answers(kind === "mutating" ? "/mutate" : "/validate"),
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      rules: [
        {
          apiGroups: ["apps.kruise.io"],
          apiVersions: ["*"],
          operations: ["CREATE", "UPDATE"],
          resources: ["sidecarsets"],
        },
      ],
    };
    return {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: `${word}WebhookConfiguration`,
      metadata: { name: `kruise-${kind}-webhook-configuration` },
      webhooks: [webhook],
    };
  });
}
