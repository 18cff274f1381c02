// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority, issueCertificate } from "@hot/kube/certificates";
import type { Addresses } from "./addresses.ts";

const DAYS = 30;

/** Users of the cluster that get a kubeconfig of this name. The second part is what Kubernetes reads as their groups. */
const USERS: Readonly<Record<string, readonly [name: string, group?: string]>> = {
  admin: ["admin", "system:masters"],
  "controller-manager": ["system:kube-controller-manager"],
  scheduler: ["system:kube-scheduler"],
  proxy: ["system:kube-proxy"],
};

/** Writes the authority, all certificates and all kubeconfigs below `folder/pki` and `folder/kubeconfig`. */
export async function writeCredentials(folder: string, { nodes, api }: Addresses): Promise<void> {
  const pki = join(folder, "pki");
  mkdirSync(join(folder, "kubeconfig"), { recursive: true });
  const authority = await createAuthority({ commonName: "hot-test-cluster", days: DAYS });
  writeFileSync(join(pki, "ca.crt"), authority.certPem);

  const issue = async (
    file: string,
    commonName: string,
    group?: string,
    names: { dnsNames: string[]; ipAddresses: string[] } = { dnsNames: [], ipAddresses: [] },
  ): Promise<void> => {
    const organizations = group === undefined ? [] : [group];
    const pair = await issueCertificate(authority, { commonName, organizations, ...names, days: DAYS, usage: "both" });
    writeFileSync(join(pki, `${file}.crt`), pair.certPem);
    writeFileSync(join(pki, `${file}.key`), pair.keyPem, { mode: 0o600 });
  };
  const kubeconfig = (file: string): void => {
    const path = join(folder, "kubeconfig", file);
    writeFileSync(path, JSON.stringify(kubeconfigOf(pki, file, api), undefined, 2), { mode: 0o600 });
  };

  const dnsNames = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  await issue("apiserver", "kube-apiserver", undefined, { dnsNames, ipAddresses: [api, "127.0.0.1"] });
  await issue("apiserver-kubelet", "kube-apiserver-kubelet-client", "system:masters");
  for (const [file, [name, group]] of Object.entries(USERS)) {
    await issue(file, name, group);
    kubeconfig(file);
  }
  for (const [index, address] of nodes.entries()) {
    const node = `n${index + 1}`;
    await issue(`kubelet-${node}`, `system:node:${node}`, "system:nodes", { dnsNames: [node], ipAddresses: [address] });
    kubeconfig(`kubelet-${node}`);
  }
  const accounts = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(join(pki, "sa.pub"), accounts.publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(join(pki, "sa.key"), accounts.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
}

function kubeconfigOf(pki: string, user: string, api: string): object {
  const data = (file: string): string => readFileSync(join(pki, file)).toString("base64");
  const credentials = { "client-certificate-data": data(`${user}.crt`), "client-key-data": data(`${user}.key`) };
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "hot", cluster: { server: `https://${api}`, "certificate-authority-data": data("ca.crt") } }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name: "hot", context: { cluster: "hot", user } }],
    "current-context": "hot",
  };
}
