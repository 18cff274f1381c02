// SPDX-License-Identifier: Apache-2.0
import type { JsonPatchOperation } from "@hot/inject";
import { reasonCode, type OperationReason } from "@hot/spec";

/** `admission.k8s.io/v1` AdmissionRequest, as far as it is read here. */
export interface AdmissionRequest {
  uid: string;
  kind: GroupVersionKind;
  resource: { group: string; version: string; resource: string };
  subResource?: string;
  name?: string;
  namespace?: string;
  operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  object?: unknown;
  oldObject?: unknown;
  dryRun?: boolean;
}

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

/** What a handler decides about one request. */
export interface Decision {
  allowed: boolean;
  /** Only with `allowed`. */
  patch?: readonly JsonPatchOperation[];
  /** Shown to the user by kubectl. */
  warnings?: readonly string[];
  /** Why it is not allowed. */
  status?: AdmissionStatus;
}

export interface AdmissionStatus {
  /** HTTP status that the user's client gets. */
  code: number;
  /** Kubernetes' word for the code, such as `Invalid`. */
  reason: string;
  message: string;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    causes?: { reason: string; message: string; field: string }[];
  };
}

/** The text is no review of the kind that is handled here. */
export class ReviewError extends Error {
  override readonly name = "ReviewError";
  readonly reason: OperationReason;

  constructor(reason: OperationReason, detail: string) {
    const { sentence, fix, code } = reasonCode(reason);
    super(`${sentence.replace(/\.$/, "")}: ${detail}. ${fix} (${code})`);
    this.reason = reason;
  }
}

const API_VERSION = "admission.k8s.io/v1";

/**
 * The request of an AdmissionReview.
 *
 * @throws {ReviewError} when the body is none
 */
export function readRequest(body: unknown): AdmissionRequest {
  const review = body as { apiVersion?: unknown; kind?: unknown; request?: Partial<AdmissionRequest> | null } | null;
  if (typeof review !== "object" || review?.kind !== "AdmissionReview" || review.apiVersion !== API_VERSION) {
    throw new ReviewError("ReviewMalformed", `it is no AdmissionReview of ${API_VERSION}`);
  }
  const { request } = review;
  const complete =
    typeof request?.uid === "string" &&
    typeof request.operation === "string" &&
    typeof request.kind?.kind === "string" &&
    typeof request.resource?.resource === "string";
  const isText = [request?.name, request?.namespace, request?.subResource].every(
    (one) => typeof (one ?? "") === "string",
  );
  if (complete && !isText)
    throw new ReviewError("ReviewMalformed", "request.name, namespace or subResource is no text");
  if (!complete) throw new ReviewError("ReviewMalformed", "request.uid, kind, resource or operation is missing");
  return request as AdmissionRequest;
}

/** The AdmissionReview that answers a request. */
export function answer(request: AdmissionRequest, { allowed, patch = [], warnings = [], status }: Decision): object {
  return {
    apiVersion: API_VERSION,
    kind: "AdmissionReview",
    response: {
      uid: request.uid,
      allowed,
      ...(allowed && patch.length > 0 && { patchType: "JSONPatch", patch: base64(JSON.stringify(patch)) }),
      ...(warnings.length > 0 && { warnings }),
      ...(status !== undefined && { status: { status: "Failure", ...status } }),
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** `pod shop/web-0`, or `pod shop/web-*` while the API server has not chosen the name yet. */
export function podName(request: AdmissionRequest): string {
  const { name, generateName } =
    (request.object as { metadata?: { name?: string; generateName?: string } } | undefined)?.metadata ?? {};
  // Whoever reaches the port can send a pod, and of some JSON no text can be made.
  const pattern = typeof generateName === "string" ? `${generateName}*` : "?";
  const shown = request.name || (typeof name === "string" && name) || pattern;
  return `pod ${request.namespace ?? "default"}/${shown}`;
}
