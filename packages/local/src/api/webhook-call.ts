// SPDX-License-Identifier: Apache-2.0
import { request } from "node:https";
import { isIP } from "node:net";
import { type JsonObject, isJsonObject, textAt } from "./object.ts";

const ANSWER_LIMIT = 3 * 1024 * 1024;

/** No usable answer from a webhook: what `failurePolicy` is about. */
export class WebhookCallError extends Error {}

/**
 * POSTs a review to `clientConfig.url` over HTTPS, trusting only `clientConfig.caBundle`, and returns the JSON object
 * that comes back. Rejects with a {@link WebhookCallError} for everything else: refused, slow, not 2xx, no JSON, too big.
 */
export async function callWebhook(
  clientConfig: unknown,
  review: JsonObject,
  timeoutSeconds: number,
): Promise<JsonObject> {
  const text = textAt(clientConfig, "url");
  if (text === undefined)
    throw new WebhookCallError("this server calls webhooks by clientConfig.url, not through a service");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:") throw new WebhookCallError(`${text} is no https URL`);
  url.searchParams.set("timeout", `${timeoutSeconds}s`);
  const ca = textAt(clientConfig, "caBundle");
  const answer = await post(
    url,
    JSON.stringify(review),
    timeoutSeconds,
    ca === undefined ? undefined : Buffer.from(ca, "base64"),
  );
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch {
    throw new WebhookCallError(`Post "${url.href}": the answer is not JSON`);
  }
  if (!isJsonObject(parsed)) throw new WebhookCallError(`Post "${url.href}": the answer is no JSON object`);
  return parsed;
}

function post(url: URL, body: string, timeoutSeconds: number, ca: Buffer | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new WebhookCallError(`failed to call webhook: Post "${url.href}": ${why}`));
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const call = request(
      url,
      {
        method: "POST",
        signal,
        // A kept connection may be closed by the webhook at the very moment of the next call, which would then fail.
        agent: false,
        headers: {
          "content-type": "application/json",
          accept: "application/json",
          "content-length": Buffer.byteLength(body),
        },
        ...(isIP(url.hostname) ? {} : { servername: url.hostname }),
        ...(ca ? { ca } : {}),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > ANSWER_LIMIT) call.destroy(new Error("the answer is too large"));
          else chunks.push(chunk);
        });
        response.on("error", (error) => fail(error.message));
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          if (status < 200 || status > 299) fail(`the webhook answered ${status}`);
          else resolve(Buffer.concat(chunks).toString("utf8"));
        });
      },
    );
    call.on("error", (error) =>
      fail(signal.aborted ? `context deadline exceeded (${timeoutSeconds}s)` : error.message),
    );
    call.end(body);
  });
}
