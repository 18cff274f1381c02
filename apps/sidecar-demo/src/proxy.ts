// SPDX-License-Identifier: Apache-2.0
import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { endToEndHeaders } from "./end-to-end.ts";

export interface ProxyOptions {
  readonly upstream: { readonly host: string; readonly port: number };
  /** Headers of every answer; they say which sidecar gave it. */
  readonly identity: Readonly<Record<string, string>>;
}

/**
 * How long an unused connection to the application is kept. Servers close idle ones after seconds (Node 5, uvicorn 5,
 * gunicorn 2): a request must not be sent on a connection that is being closed at this moment, so ours go first.
 */
const KEPT_IDLE_MS = 500;

/** Methods that may be sent a second time (RFC 9110 9.2.2), as far as we use that. */
const repeatable = new Set(["GET", "HEAD", "OPTIONS"]);

function hasBody(request: IncomingMessage): boolean {
  return request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
}

/**
 * Ends an answer when the upload has been read to its end. Earlier, Node may close the connection over unread bytes,
 * which resets it: the client would lose an answer that it has not read yet.
 */
function endAfterUpload(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) response.end();
  else request.once("end", () => response.end());
}

/**
 * A reverse proxy for HTTP/1.1. Streams both ways with back-pressure; a cut on one side is a cut on the other; 502 while
 * the application is away. Never repeats a request, with one exception: a GET, HEAD or OPTIONS without a body that met a
 * kept connection which the application had just closed goes out again, once, on a new connection.
 */
export function createProxy({ upstream, identity }: ProxyOptions): RequestListener {
  const kept = new Agent({ keepAlive: true, timeout: KEPT_IDLE_MS, maxFreeSockets: 64 });
  const identityHeaders = Object.entries(identity).flat();

  const forward = (request: IncomingMessage, response: ServerResponse, agent: Agent | false): void => {
    const { method = "GET", url = "/" } = request;
    const body = hasBody(request);
    const headers = endToEndHeaders(request);
    if (request.headers["transfer-encoding"] !== undefined) headers.push("Transfer-Encoding", "chunked");
    const outgoing = httpRequest({ ...upstream, method, path: url, headers, agent });
    const abandon = (): void => void outgoing.destroy();
    response.once("close", abandon);

    outgoing.on("response", (incoming) => {
      const answer = [...endToEndHeaders(incoming), ...identityHeaders];
      response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, answer);
      // An answer that the application cut must arrive cut, never as a complete one.
      incoming.once("error", () => response.destroy());
      incoming.pipe(response, { end: false });
      incoming.once("end", () => {
        // The application has said all and may never read the rest: it would hold the upload up until it times out.
        if (!request.complete) outgoing.destroy();
        endAfterUpload(request, response);
      });
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      if (response.destroyed || response.headersSent) return; // the answer itself sees to its end
      response.off("close", abandon);
      if (outgoing.reusedSocket && repeatable.has(method) && !body) forward(request, response, false);
      else badGateway(request, response, error);
    });
    if (!body) outgoing.end();
    else {
      request.pipe(outgoing);
      // Nobody takes the rest of the upload any more; an answer that came early waits for its end.
      outgoing.once("close", () => request.resume());
    }
  };

  const badGateway = (request: IncomingMessage, response: ServerResponse, error: NodeJS.ErrnoException): void => {
    const where = `${upstream.host}:${upstream.port}`;
    const cause = error.code ?? error.message;
    const text = `the application at ${where} gives no answer (${cause}); is its container running?\n`;
    const length = String(Buffer.byteLength(text));
    const headers = ["Content-Type", "text/plain; charset=utf-8", "Content-Length", length, ...identityHeaders];
    response.writeHead(502, headers).write(text);
    endAfterUpload(request, response);
  };

  return (request, response) => {
    // RFC 9110 7.6.2: OPTIONS with Max-Forwards 0 is for the proxy itself. That is how the sidecar probes itself.
    if (request.method === "OPTIONS" && request.headers["max-forwards"] === "0") {
      response.writeHead(204, identityHeaders).end();
    } else forward(request, response, kept);
  };
}
