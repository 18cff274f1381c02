// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Authenticate } from "./authentication.ts";
import { readBody } from "./body.ts";
import type { Context } from "./call.ts";
import { ApiFailure, internalError } from "./failure.ts";
import type { JsonObject } from "./object.ts";
import { type Answer, route } from "./routes.ts";
import type { Log } from "./log.ts";
import type { WatchLine } from "./watch.ts";

interface Environment {
  context: Context;
  authenticate: Authenticate;
  log: Log;
  bookmarkMs: number;
  stopping: AbortSignal;
}

const PUBLIC = new Set(["/version", "/healthz", "/livez", "/readyz"]);

/** The HTTP side: authentication, bodies, answers, streams. Every refusal and every bug ends as `metav1.Status`. */
export function handler(environment: Environment): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    serve(environment, request, response).catch((error: unknown) => {
      environment.log(`${request.method} ${request.url} could not be answered: ${String(error)}`);
      response.destroy();
    });
  };
}

async function serve(environment: Environment, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const warnings = new Set<string>();
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.setHeader("audit-id", randomUUID());
  let answer: Answer;
  try {
    answer = await answerTo(environment, request, warnings, gone.signal);
  } catch (error) {
    answer = failed(environment, request, error);
  }
  const shown = [...warnings].filter((text) => !/\p{Cc}/u.test(text));
  if (shown.length > 0) response.setHeader("warning", shown.map(warningHeader));
  if ("lines" in answer) {
    await stream(response, answer.lines);
    return;
  }
  // As bytes: Node writes the headers in the encoding of a text body, which would encode a warning twice.
  const bytes = Buffer.from(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
  // A body that was refused unread leaves the connection unusable.
  if (!request.complete) response.setHeader("connection", "close");
  response.writeHead(answer.status, {
    "content-type": answer.contentType ?? "application/json",
    "content-length": bytes.length,
  });
  response.end(bytes);
}

async function answerTo(
  environment: Environment,
  request: IncomingMessage,
  warnings: Set<string>,
  gone: AbortSignal,
): Promise<Answer> {
  const url = new URL(request.url ?? "/", "https://localhost");
  const user =
    environment.authenticate(request) ??
    (PUBLIC.has(url.pathname) ? { username: "system:anonymous", groups: ["system:unauthenticated"] } : undefined);
  if (!user) throw new ApiFailure(401, "Unauthorized", "Unauthorized");
  return route(
    environment.context,
    {
      method: request.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      accept: request.headers.accept,
      contentType: request.headers["content-type"],
      user,
      body: () => readBody(request),
      warn: (text) => warnings.add(text),
      signal: AbortSignal.any([gone, environment.stopping]),
    },
    environment.bookmarkMs,
  );
}

function failed({ log }: Environment, request: IncomingMessage, error: unknown): Answer {
  if (!(error instanceof ApiFailure)) {
    log(
      `${request.method} ${request.url} met a bug of this server: ${error instanceof Error ? error.stack : String(error)}`,
    );
  }
  const { status } =
    error instanceof ApiFailure ? error : internalError(error instanceof Error ? error.message : String(error));
  const body: JsonObject = { apiVersion: "v1", metadata: {}, ...status };
  return { status: status.code, body };
}

/** One JSON object a line; waits when the client is slow. */
async function stream(response: ServerResponse, lines: AsyncIterable<WatchLine>): Promise<void> {
  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
  for await (const line of lines) {
    if (response.destroyed) break;
    if (!response.write(`${JSON.stringify(line)}\n`))
      await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  response.end();
}

/** RFC 7234 `299 - "text"`; header bytes are the text's UTF-8. Text with line ends or controls is left out by the caller. */
function warningHeader(text: string): string {
  const escaped = text.replaceAll(/["\\]/g, String.raw`\$&`);
  return Buffer.from(`299 - "${escaped}"`, "utf8").toString("latin1");
}
