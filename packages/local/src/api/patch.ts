// SPDX-License-Identifier: Apache-2.0
import { ApiFailure, badRequest, unsupportedMediaType } from "./failure.ts";
import { applyJsonPatch, JsonPatchError } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { type ApiObject, isJsonObject } from "./object.ts";
import { applyStrategicPatch } from "./strategic-patch.ts";

export type PatchType = "json" | "merge" | "strategic";

const MAX_OPERATIONS = 10_000;

const MEDIA_TYPES: Record<string, PatchType> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
};

/** The kind of patch that a content type announces; server-side apply and everything unknown is a 415. */
export function patchType(contentType: string | undefined, custom: boolean): PatchType {
  const type = contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/apply-patch+yaml" || type === "application/apply-patch+cbor") {
    throw unsupportedMediaType(
      "server-side apply is not supported by this server; use a merge, strategic or JSON patch (kubectl apply --server-side=false)",
    );
  }
  const known = Object.hasOwn(MEDIA_TYPES, type) ? MEDIA_TYPES[type] : undefined;
  if (known === undefined || (custom && known === "strategic")) {
    const accepted = Object.keys(MEDIA_TYPES).filter((name) => !custom || MEDIA_TYPES[name] !== "strategic");
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
    );
  }
  return known;
}

/** Applies the patch of a request: malformed is a 400, one that does not fit the object a 422. */
export function applyPatch(type: PatchType, object: ApiObject, patch: unknown): ApiObject {
  const result = type === "json" ? applyOperations(object, patch) : merged(type, object, patch);
  if (!isJsonObject(result) || !isJsonObject(result.metadata))
    throw badRequest("the patch leaves no object with metadata");
  return result as ApiObject;
}

function merged(type: "merge" | "strategic", object: ApiObject, patch: unknown): unknown {
  if (!isJsonObject(patch)) throw badRequest("a merge patch must be a JSON object");
  return type === "merge" ? applyMergePatch(object, patch) : applyStrategicPatch(object, patch, object.kind);
}

function applyOperations(object: ApiObject, patch: unknown): unknown {
  if (Array.isArray(patch) && patch.length > MAX_OPERATIONS) {
    throw new ApiFailure(
      413,
      "RequestEntityTooLarge",
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    );
  }
  try {
    return applyJsonPatch(object, patch);
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    if (error.malformed) throw badRequest(error.message);
    throw new ApiFailure(
      422,
      "Invalid",
      `the server rejected our request due to an error in our request: ${error.message}`,
    );
  }
}
