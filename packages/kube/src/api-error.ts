// SPDX-License-Identifier: Apache-2.0
import type { ApiStatus } from "./api.ts";

/** The API server answered, and the answer is no. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code = "KUBE_REFUSED";
  /** HTTP status: 404, 409, 410, 422, 429, … */
  readonly status: number;
  /** Kubernetes' own word, such as `NotFound`, `Conflict`, `Expired`; empty when the answer had none. */
  readonly reason: string;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The whole answer. */
  readonly body: ApiStatus;

  /** `what` is the request, such as `PATCH pods default/web-0`. */
  constructor(what: string, status: number, body: ApiStatus, retryAfterMs?: number) {
    const reason = body.reason ?? "";
    const why = (body.message || "the server gave no message").replace(/[.\s]+$/, "");
    super(
      `${what} was refused: ${[status, reason].join(" ").trim()}: ${why}. ${fixOf(what, status, why, retryAfterMs)}`,
    );
    this.status = status;
    this.reason = reason;
    this.body = body;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}

function fixOf(what: string, status: number, why: string, retryAfterMs?: number): string {
  // A webhook and a ValidatingAdmissionPolicy choose their own status; no Role helps against them.
  if (why.includes("admission webhook")) return "Change the object as the webhook says, or ask who runs the webhook.";
  if (why.includes("denied request:")) return "Change the object as the policy says, or ask who made the policy.";
  switch (status) {
    case 400:
    case 422:
      return "Correct the fields named above.";
    case 401:
      return "Check the user of the kubeconfig's context: its token, certificate or exec plugin.";
    case 403:
      return `Grant the permission for ${what} by a Role or ClusterRole.`;
    case 404:
      return "Check the name and the namespace; for a custom resource also that its CRD is installed.";
    case 409:
      return "Read the object again and decide again; never send the same write again.";
    case 410:
      return "List again and watch from the new resourceVersion.";
    default:
      if (retryAfterMs !== undefined) return `Try again in ${retryAfterMs / 1000} s.`;
      return status === 429 || status >= 500
        ? "Try again with back-off; if it stays, check the API server and its webhooks."
        : "Check the request.";
  }
}

/**
 * Why there is no usable answer: the server could not be reached; it gave no answer in time; the connection broke in
 * mid-answer; the answer is not JSON of the promised shape; the answer exceeds the limit of this client.
 */
export type ConnectionErrorCode =
  | "KUBE_UNREACHABLE"
  | "KUBE_TIMEOUT"
  | "KUBE_CUT"
  | "KUBE_MALFORMED"
  | "KUBE_TOO_LARGE";

const CONNECTION_FIXES: Record<ConnectionErrorCode, string> = {
  KUBE_UNREACHABLE: "Check that the API server runs, that the address is right and that its certificate fits.",
  KUBE_TIMEOUT: "Try again; if it stays, check the load of the API server and the network in between.",
  KUBE_CUT: "Try again; after a write read first, it may have been carried out.",
  KUBE_MALFORMED: "Check that the address is the one of a Kubernetes API server and no proxy changes the answers.",
  KUBE_TOO_LARGE: "List with a smaller limit, or raise the limit when connecting.",
};

/** No usable answer. After a write nobody knows whether it was carried out: read the object before writing again. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: ConnectionErrorCode;

  constructor(what: string, server: string, code: ConnectionErrorCode, why: string, cause?: unknown) {
    super(
      `${what} got no usable answer from ${server}: ${why}. ${CONNECTION_FIXES[code]}`,
      cause === undefined ? {} : { cause },
    );
    this.code = code;
  }
}

/** The kubeconfig can't be used. Nothing was sent. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "KUBE_CONFIG";

  constructor(where: string, why: string, fix: string, cause?: unknown) {
    super(`cannot connect with ${where}: ${why}. ${fix}`, cause === undefined ? {} : { cause });
  }
}
