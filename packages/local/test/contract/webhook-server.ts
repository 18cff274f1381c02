// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createAuthority, issueCertificate } from "@hot/kube/certificates";

// oxlint-disable-next-line typescript/no-explicit-any -- tests read into reviews of every shape
export type Review = any;

/** What the webhook answers: a response to which the uid is added, or whatever it writes itself. */
export type Answering = (request: Review, response: ServerResponse) => object | undefined | Promise<object | undefined>;

export interface WebhookServer {
  /** For `clientConfig`; the path chooses the handler. */
  clientConfig(path: string): { url: string; caBundle: string };
  on(path: string, answering: Answering): void;
  /** The requests of all reviews so far, but for those of `known`. */
  received: Review[];
  /** Webhooks that let everything through and count their reviews, each for itself. */
  known: { path(name: string): string; reviews(name: string): number };
  close(): Promise<void>;
}

/** Where the API server under test reaches this process. */
const HOST = process.env["HOT_CONTRACT_WEBHOOK_HOST"] ?? "127.0.0.1";

const KNOWN = "/known/";

/** A real HTTPS server with its own authority, as a webhook of a cluster is one. */
export async function webhookServer(host = HOST): Promise<WebhookServer> {
  const authority = await createAuthority({ commonName: "webhook-ca", days: 1 });
  const { certPem, keyPem } = await issueCertificate(authority, {
    commonName: "webhook",
    dnsNames: ["localhost"],
    ipAddresses: [host],
    days: 1,
    usage: "server",
  });
  const handlers = new Map<string, Answering>();
  const received: Review[] = [];
  const known = new Map<string, number>();
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
    request.on("end", () => {
      const review: Review = JSON.parse(text);
      const { pathname } = new URL(request.url ?? "", "https://x");
      const isKnown = pathname.startsWith(KNOWN);
      if (isKnown) known.set(pathname, (known.get(pathname) ?? 0) + 1);
      else received.push(review.request);
      const handler = isKnown ? () => ({ allowed: true }) : handlers.get(pathname);
      void Promise.resolve(handler?.(review.request, response)).then((answer) => {
        if (answer === undefined) return;
        const { apiVersion, kind } = review;
        response.end(JSON.stringify({ apiVersion, kind, response: { uid: review.request.uid, ...answer } }));
      });
    });
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    clientConfig: (path) => ({
      url: `https://${host}:${port}${path}`,
      caBundle: Buffer.from(authority.certPem).toString("base64"),
    }),
    on: (path, answering) => void handlers.set(path, answering),
    received,
    known: { path: (name) => KNOWN + name, reviews: (name) => known.get(KNOWN + name) ?? 0 },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A response that patches. */
export const patching = (operations: unknown, more: object = {}) => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
  ...more,
});
