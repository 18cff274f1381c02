// SPDX-License-Identifier: Apache-2.0
import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { pipeline } from "node:stream";

export interface ProxyOptions {
  upstream: { host: string; port: number };
  /** Headers of every answer; they say which sidecar gave it. */
  identity: Record<string, string>;
}

/** Headers that belong to one connection, not to the request (RFC 9110 7.6.1). */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Raw header pairs without those of the connection, and without those that `Connection` names. */
function endToEnd(message: IncomingMessage): string[] {
  const named = new Set((message.headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  const kept: string[] = [];
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    const [name = "", value = ""] = message.rawHeaders.slice(index, index + 2);
    const lower = name.toLowerCase();
    if (!hopByHop.has(lower) && !named.has(lower)) kept.push(name, value);
  }
  return kept;
}

/**
 * A reverse proxy for HTTP/1.1: streams both ways with back-pressure, answers 502 while the application is away.
 * A request that meets a kept connection which the application has just closed is sent again, once, on a new
 * connection, if it is safe to repeat and has no body; nothing else is ever retried.
 */
export function createProxy({ upstream, identity }: ProxyOptions): RequestListener {
  const kept = new Agent({ keepAlive: true, maxFreeSockets: 64 });
  const identityPairs = Object.entries(identity).flat();

  const forward = (request: IncomingMessage, response: ServerResponse, fresh: boolean): void => {
    const { method = "GET", url = "/" } = request;
    const hasBody =
      request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
    const headers = endToEnd(request);
    if (request.headers["transfer-encoding"] !== undefined) headers.push("Transfer-Encoding", "chunked");
    const outgoing = httpRequest({ ...upstream, method, path: url, headers, agent: fresh ? false : kept });
    const abandon = (): void => void outgoing.destroy();
    response.once("close", abandon);

    outgoing.on("response", (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, [...endToEnd(incoming), ...identityPairs]);
      // An answer that the application cut must arrive cut, never as a complete one.
      pipeline(incoming, response, (error) => error && response.destroy());
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      response.off("close", abandon);
      if (response.destroyed) return;
      const repeatable = !hasBody && (method === "GET" || method === "HEAD");
      if (response.headersSent) response.destroy();
      else if (outgoing.reusedSocket && repeatable && !fresh) forward(request, response, true);
      else badGateway(response, error);
    });
    if (hasBody) pipeline(request, outgoing, () => undefined);
    else outgoing.end();
  };

  const badGateway = (response: ServerResponse, error: NodeJS.ErrnoException): void => {
    const where = `${upstream.host}:${upstream.port}`;
    response
      .writeHead(502, ["Content-Type", "text/plain", ...identityPairs])
      .end(`the application at ${where} gives no answer (${error.code ?? error.message}); is its container running?\n`);
  };

  return (request, response) => forward(request, response, false);
}
