// SPDX-License-Identifier: Apache-2.0
import type { ApiStatus, Resource } from "./api.ts";
import { ApiError, ConnectionError } from "./api-error.ts";
import { describeTarget, resourcePath, type Target } from "./resource-path.ts";
import { readItems, type ListHead } from "./list-items.ts";
import { readLines, readText, TooLargeError } from "./response-body.ts";
import { warningTexts } from "./warning-header.ts";
import { connectionError, type HttpRequest, type HttpResponse, type Transport } from "./transport.ts";

export interface ApiRequest extends Target {
  verb: keyof typeof METHODS;
  signal?: AbortSignal | undefined;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  contentType?: string;
}

export interface RequesterOptions {
  transport: Transport;
  server: string;
  onUnauthorized: () => void;
  maxAnswerBytes: number;
  maxEventBytes: number;
  onAnswer: ((answer: { verb: string; resource: Resource; code: number | string }) => void) | undefined;
  onWarning: ((text: string) => void) | undefined;
}

export interface Requester {
  /** One request, one JSON answer. */
  json: <T>(request: ApiRequest) => Promise<T>;
  /** As `json`, of a list: its items are handed over as they arrive, and the answer has only the others. */
  items: <T>(request: ApiRequest, visit: (item: object, head: ListHead) => void) => Promise<T>;
  /** One request, an endless answer in lines. Ends when the server ends it cleanly, throws when it breaks. */
  lines: (request: ApiRequest) => AsyncGenerator<string, void, undefined>;
}

const METHODS = {
  get: "GET",
  list: "GET",
  watch: "GET",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
} as const;

/** Turns requests about resources into HTTP exchanges, and every failure into an `ApiError` or `ConnectionError`. */
export function createRequester(options: RequesterOptions): Requester {
  const { transport, server } = options;

  const open = async ({ verb, resource }: ApiRequest, http: HttpRequest): Promise<HttpResponse> => {
    const answered = (code: number | string): void => options.onAnswer?.({ verb, resource, code });
    try {
      const response = await transport.send(http);
      answered(response.statusCode);
      if (options.onWarning) warningTexts(response.headers["warning"]).forEach(options.onWarning);
      if (response.statusCode === 401) options.onUnauthorized();
      if (response.statusCode < 300) return response;
      throw await refusal(http.what, response);
    } catch (error) {
      if (error instanceof ConnectionError) answered(error.code);
      throw error;
    }
  };

  const failure = (what: string, error: unknown, signal: AbortSignal | undefined): unknown => {
    if (error instanceof ApiError) return error;
    if (signal?.aborted) return signal.reason;
    if (error instanceof TooLargeError) {
      return new ConnectionError(what, server, "KUBE_TOO_LARGE", error.message, error);
    }
    return connectionError(what, server, error);
  };

  const jsonOf = async <T>(request: ApiRequest, read: (body: HttpResponse["body"]) => Promise<string>): Promise<T> => {
    const http = httpRequest(request);
    const { what } = http;
    let text: string;
    try {
      const { body } = await open(request, http);
      text = await read(body);
    } catch (error) {
      throw failure(what, error, request.signal);
    }
    const value = parseObject(text);
    if (value !== undefined) return value as T;
    throw new ConnectionError(what, server, "KUBE_MALFORMED", `the answer is no JSON object: ${text.slice(0, 80)}`);
  };

  return {
    json: (request) => jsonOf(request, (body) => readText(body, options.maxAnswerBytes)),
    items: (request, visit) => jsonOf(request, (body) => readItems(body, options.maxAnswerBytes, visit)),

    async *lines(request) {
      const http = httpRequest(request);
      try {
        const { body } = await open(request, http);
        body.on("error", () => undefined); // reported by the loop; after leaving it nobody needs it
        yield* readLines(body, options.maxEventBytes);
      } catch (error) {
        throw failure(http.what, error, request.signal);
      }
    },
  };
}

function httpRequest(request: ApiRequest): HttpRequest {
  const { verb, query = {}, body, contentType = "application/json", signal } = request;
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  return {
    what: `${verb} ${describeTarget(request)}`,
    method: METHODS[verb],
    path: `${resourcePath(request)}${search.size === 0 ? "" : `?${search.toString()}`}`,
    signal,
    stream: verb === "watch",
    ...(body === undefined ? {} : { body: { type: contentType, text: JSON.stringify(body) } }),
  };
}

const MAX_STATUS_BYTES = 2 ** 20;

async function refusal(what: string, { statusCode, headers, body }: HttpResponse): Promise<ApiError> {
  const text = await readText(body, MAX_STATUS_BYTES).catch(() => "");
  const parsed: ApiStatus | undefined = parseObject(text);
  const status: ApiStatus = parsed?.kind === "Status" ? parsed : { message: text.slice(0, 500).trim() };
  return new ApiError(what, statusCode, status, retryAfter(headers["retry-after"], status));
}

function retryAfter(header: string | string[] | undefined, status: ApiStatus): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  const seconds = text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : status.details?.retryAfterSeconds;
  return seconds !== undefined && seconds > 0 ? seconds * 1000 : undefined;
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
