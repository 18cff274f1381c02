// SPDX-License-Identifier: Apache-2.0
import { stringify } from "yaml";

const NAME = "hot-local";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A kubeconfig with everything inside: address, CA and a client certificate. */
export function kubeconfig(url: string, caPem: string, client: { certPem: string; keyPem: string }): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: NAME, cluster: { server: url, "certificate-authority-data": base64(caPem) } }],
    users: [
      {
        name: NAME,
        user: { "client-certificate-data": base64(client.certPem), "client-key-data": base64(client.keyPem) },
      },
    ],
    contexts: [{ name: NAME, context: { cluster: NAME, user: NAME, namespace: "default" } }],
    "current-context": NAME,
  });
}
