// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { createAuthority, issueCertificate, type CertificatePair } from "@hot/kube/certificates";
import { RESOURCES, type Api } from "@hot/kube";
import { pairNames, type Pod } from "@hot/spec";
import { BASE, injectedPod, type Namespaces } from "./objects.ts";

/** The least that a webhook can be. What it adds to a create is the API server's own work, and the way there. */
interface LeastWebhook extends AsyncDisposable {
  /** Reviews answered so far, of both kinds. */
  answered(): number;
}

/**
 * Registers a webhook in this very process for the namespaces `asked` and `readyMade`.
 *
 * @param host the address of this machine as the API server sees it
 * @param pod a pod of a SidecarSet, without account token; what its injection adds is what every pod of `readyMade` gets
 */
export async function startLeastWebhook(
  api: Api,
  namespaces: Namespaces,
  host: string,
  pod: Pod,
): Promise<LeastWebhook> {
  const authority = await createAuthority({ commonName: "bench", days: 1 });
  const wish = { commonName: "bench", dnsNames: [], ipAddresses: [host], days: 1, usage: "server" } as const;
  let answered = 0;
  const server = serve(await issueCertificate(authority, wish), readyMade(await injectedPod(api, pod)), () => {
    answered += 1;
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const webhook = (path: string, namespace: string): object => ({
    name: `${path}.bench.internal`,
    clientConfig: {
      url: `https://${host}:${port}/${path}`,
      caBundle: Buffer.from(authority.certPem).toString("base64"),
    },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    sideEffects: "None",
    timeoutSeconds: 5,
    admissionReviewVersions: ["v1"],
  });
  const name = namespaces.injected;
  await api.create(RESOURCES.mutatingWebhookConfigurations, {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name },
    webhooks: [webhook("asked", namespaces.asked), webhook(READY_MADE, namespaces.readyMade)],
  });
  // In force as soon as one pod is injected.
  await injectedPod(api, { ...pod, metadata: { ...pod.metadata, namespace: namespaces.readyMade } });
  return {
    answered: () => answered,
    async [Symbol.asyncDispose]() {
      await api.delete(RESOURCES.mutatingWebhookConfigurations, name);
      server.close();
      server.closeAllConnections();
    },
  };
}

const READY_MADE = "ready-made";

/** JSON Patch, as an answer has it. */
function readyMade({ metadata, spec }: Pod): string {
  const names = pairNames(BASE);
  const add = spec.containers.flatMap((value, index) =>
    names.includes(value.name) ? { op: "add", path: `/spec/containers/${index}`, value } : [],
  );
  const annotations = { op: "add", path: "/metadata/annotations", value: metadata.annotations };
  return Buffer.from(JSON.stringify([annotations, ...add])).toString("base64");
}

function serve({ certPem, keyPem }: CertificatePair, patch: string, count: () => void): Server {
  const keepAliveTimeout = 120_000;
  return createServer({ cert: certPem, key: keyPem, keepAliveTimeout }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { request: of } = JSON.parse(Buffer.concat(chunks).toString()) as { request: { uid: string } };
      const change = request.url?.startsWith(`/${READY_MADE}`) === true ? { patchType: "JSONPatch", patch } : {};
      const answer = { uid: of.uid, allowed: true, ...change };
      const text = JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer });
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
      response.end(text);
      count();
    });
  });
}
