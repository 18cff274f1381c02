// SPDX-License-Identifier: Apache-2.0
import { createAuthority, issueCertificate } from "@hot/kube/certificates";
import type { Cluster } from "../../tools/cluster/cluster.ts";

/** cert-manager as far as the chart meets it: its kinds, and the Secret that it fills for the chart's Certificate. */
export async function standInForCertManager(on: Cluster): Promise<void> {
  const authority = await createAuthority({ commonName: "cert-manager", days: 1 });
  const names = ["hot-webhook.hot-system.svc", "hot-webhook-conversion.hot-system.svc"];
  const { certPem, keyPem } = await issueCertificate(authority, {
    commonName: "hot-webhook",
    dnsNames: names,
    ipAddresses: [],
    days: 1,
    usage: "server",
  });
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata: { name: "hot-webhook-tls", namespace: "hot-system" },
    stringData: { "tls.crt": certPem, "tls.key": keyPem, "ca.crt": authority.certPem },
  };
  const items = [kind("Issuer"), kind("Certificate"), secret];
  on.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  on.kubectl([
    "wait",
    "crd/issuers.cert-manager.io",
    "crd/certificates.cert-manager.io",
    "--for=condition=Established",
  ]);
}

function kind(name: string): object {
  const singular = name.toLowerCase();
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${singular}s.cert-manager.io` },
    spec: {
      group: "cert-manager.io",
      scope: "Namespaced",
      names: { kind: name, plural: `${singular}s`, singular },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  };
}
