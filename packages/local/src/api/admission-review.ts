// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { ApiFailure, internalError } from "./failure.ts";
import { applyJsonPatch, JsonPatchError } from "./json-patch.ts";
import { type ApiObject, at, field, isJsonObject, type JsonObject, shown, textAt } from "./object.ts";
import { callWebhook, WebhookCallError } from "./webhook-call.ts";
import type { Matchable } from "./webhook-match.ts";

export interface User {
  username: string;
  groups: string[];
}

/** One request under review. */
export interface Attributes extends Matchable {
  name: string;
  namespace: string | undefined;
  user: User;
  dryRun: boolean;
}

export interface Verdict {
  allowed: boolean;
  patch: unknown;
  warnings: string[];
  result: unknown;
}

/** Asks one webhook; objects are already in the version it wants. Rejects with a {@link WebhookCallError}. */
export async function review(webhook: JsonObject, attributes: Attributes, version: string): Promise<Verdict> {
  const uid = randomUUID();
  const request = { uid, ...describe(attributes, version) };
  const seconds = typeof webhook.timeoutSeconds === "number" ? webhook.timeoutSeconds : 10;
  const answer = await callWebhook(
    field(webhook, "clientConfig"),
    { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request },
    seconds,
  );
  return decodeVerdict(answer, uid);
}

function describe(attributes: Attributes, version: string): JsonObject {
  const { type, subresource, name, namespace, operation, user, object, oldObject, dryRun } = attributes;
  const kindOf = (of: string): JsonObject => ({ group: type.group, version: of, kind: type.kind });
  const resourceOf = (of: string): JsonObject => ({ group: type.group, version: of, resource: type.plural });
  const optionKinds = { CREATE: "CreateOptions", UPDATE: "UpdateOptions", DELETE: "DeleteOptions" };
  return {
    kind: kindOf(version),
    resource: resourceOf(version),
    ...(subresource === undefined ? {} : { subResource: subresource, requestSubResource: subresource }),
    requestKind: kindOf(attributes.version),
    requestResource: resourceOf(attributes.version),
    ...(name === "" ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    operation,
    userInfo: user,
    object: object ?? null,
    oldObject: oldObject ?? null,
    dryRun,
    options: { apiVersion: "meta.k8s.io/v1", kind: optionKinds[operation] },
  };
}

function decodeVerdict(answer: JsonObject, uid: string): Verdict {
  const wrong = (why: string): never => {
    throw new WebhookCallError(`received invalid webhook response: ${why}`);
  };
  const { apiVersion, kind, response } = answer;
  if (apiVersion !== "admission.k8s.io/v1" || kind !== "AdmissionReview") {
    wrong(
      `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${shown(apiVersion)}, Kind=${shown(kind)}`,
    );
  }
  if (!isJsonObject(response)) return wrong("webhook response was absent");
  if (response.uid !== uid)
    wrong(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? "")}`);
  const { warnings, patch, patchType, status } = response;
  const patched = typeof patch === "string" && patch !== "";
  if (patched && patchType !== "JSONPatch") wrong(`webhook returned response.patch but not response.patchType`);
  if (!patched && patchType !== undefined && patchType !== null)
    wrong("webhook returned response.patchType but not response.patch");
  return {
    allowed: response.allowed === true,
    patch: patched ? patch : undefined,
    warnings: Array.isArray(warnings) ? warnings.map(String) : [],
    result: status,
  };
}

/** Applies a webhook's patch. One that is unreadable or does not fit is a 500 whatever the failurePolicy, as on a cluster. */
export function applyVerdict(name: string, object: ApiObject, patch: unknown): ApiObject {
  try {
    const operations: unknown = JSON.parse(Buffer.from(shown(patch), "base64").toString("utf8"));
    const result = applyJsonPatch(object, operations);
    if (isJsonObject(result) && isJsonObject(result.metadata)) return result as ApiObject;
  } catch (error) {
    if (error instanceof JsonPatchError || error instanceof SyntaxError)
      throw internalError(`admission webhook ${JSON.stringify(name)}: ${error.message}`);
    throw error;
  }
  throw internalError(`admission webhook ${JSON.stringify(name)}: the patch leaves no object`);
}

/** The refusal that reaches the client when a webhook says no. */
export function denial(name: string, result: unknown): ApiFailure {
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`;
  const message = textAt(result, "message");
  const reason = textAt(result, "reason");
  const code = at(result, "code");
  const details = at(result, "details");
  return new ApiFailure(
    typeof code === "number" && code >= 400 ? code : 400,
    reason ?? "",
    message ? `${denied}: ${message}` : reason ? `${denied}: ${reason}` : `${denied} without explanation`,
    isJsonObject(details) ? details : undefined,
  );
}
