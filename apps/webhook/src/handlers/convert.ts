// SPDX-License-Identifier: Apache-2.0
import { toV1Alpha1, toV1Beta1, type SidecarSet, type SidecarSetV1Alpha1 } from "@hot/spec";
import { ReviewError } from "../admission.ts";

interface ConversionRequest {
  uid: string;
  desiredAPIVersion: string;
  objects: readonly ({ apiVersion?: string; metadata?: { name?: string } } | null)[];
}

const API_VERSION = "apiextensions.k8s.io/v1";
const V1ALPHA1 = "apps.kruise.io/v1alpha1";
const V1BETA1 = "apps.kruise.io/v1beta1";

/**
 * Answers a ConversionReview: all objects in the desired version, in order, or a failure that names the first object
 * which can't be converted.
 *
 * @throws {ReviewError} when the body is no ConversionReview
 */
export function convertReview(body: unknown): object {
  const review = body as { apiVersion?: unknown; kind?: unknown; request?: Partial<ConversionRequest> } | null;
  const { uid, desiredAPIVersion, objects } = review?.request ?? {};
  const complete = typeof uid === "string" && typeof desiredAPIVersion === "string" && Array.isArray(objects);
  if (review?.kind !== "ConversionReview" || review.apiVersion !== API_VERSION || !complete) {
    throw new ReviewError("ReviewMalformed", `it is no ConversionReview of ${API_VERSION}`);
  }
  const respond = (response: object): object => ({
    apiVersion: API_VERSION,
    kind: "ConversionReview",
    response: { uid, ...response },
  });
  const convertedObjects: object[] = [];
  for (const object of objects) {
    const converted = convert(object, desiredAPIVersion);
    if (converted === undefined) {
      const { metadata, apiVersion = "?" } = (object ?? {}) as Partial<typeof object>;
      const message = `SidecarSet ${metadata?.name ?? "?"} can't be converted from ${apiVersion} to ${desiredAPIVersion}; versions are ${V1ALPHA1} and ${V1BETA1}`;
      return respond({ convertedObjects: [], result: { status: "Failure", message } });
    }
    convertedObjects.push(converted);
  }
  return respond({ convertedObjects, result: { status: "Success" } });
}

/** Undefined: not one of the versions, or not the shape of one. */
function convert(object: { apiVersion?: string; spec?: unknown } | null, desired: string): object | undefined {
  if (object === null || typeof (object.spec ?? {}) !== "object" || object.spec === null) return undefined;
  if (object.apiVersion === desired) return object;
  if (object.apiVersion === V1ALPHA1 && desired === V1BETA1) return toV1Beta1(object as SidecarSetV1Alpha1);
  if (object.apiVersion === V1BETA1 && desired === V1ALPHA1) return toV1Alpha1(object as SidecarSet);
  return undefined;
}
