// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { sidecarContainerSchema } from "./core-schema.ts";
import { isRaw } from "./defaults/raw.ts";
import { goJson } from "./go-json.ts";
import { MalformedError } from "./malformed-error.ts";
import { checkAgainstSchema } from "./schema-check.ts";
import type { SidecarSet, SidecarSetV1Alpha1 } from "./sidecar-set.ts";

/** The two hashes that a SidecarSet and its pods carry as annotations. */
export interface SidecarSetHashes {
  /** Differs ⇒ the pod is not updated. */
  hash: string;
  /** Differs ⇒ more than images differ, and the pod can't be updated in place. */
  hashWithoutImage: string;
}

/** The containers have values of a wrong type, so there is no hash. Validation names all of them. */
export class UnhashableError extends MalformedError {
  override readonly name = "UnhashableError";

  constructor(path: string, expected: string) {
    super(path, `must be ${expected}, so the SidecarSet can't be hashed`);
  }
}

const CONTAINERS = { list: sidecarContainerSchema };

/**
 * Computes both hashes bit for bit as OpenKruise v1.9 does, from the object as it is (no defaulting).
 *
 * @throws {UnhashableError} when a container field has the wrong type
 */
export function sidecarSetHashes(sidecarSet: Pick<SidecarSet | SidecarSetV1Alpha1, "spec">): SidecarSetHashes {
  const wrong = wrongContainerType(sidecarSet);
  if (wrong) throw new UnhashableError(wrong.path, wrong.expected);
  const { containers, initContainers } = sidecarSet.spec;
  return {
    hash: digest(hashedText(containers, initContainers)),
    hashWithoutImage: digest(hashedText(containers?.map(withoutImage), initContainers?.map(withoutImage))),
  };
}

/** The first value of the containers that has not the type of its field, so that they have no text. */
export function wrongContainerType(sidecarSet: unknown): { path: string; expected: string } | undefined {
  if (!isRaw(sidecarSet) || !isRaw(sidecarSet["spec"])) return { path: "spec", expected: "an object" };
  for (const list of ["containers", "initContainers"]) {
    const [error] = checkAgainstSchema(CONTAINERS, sidecarSet["spec"][list], `spec.${list}`).typeErrors;
    if (error) return error;
  }
  return undefined;
}

/** The text that is hashed: containers, and all init containers as soon as one of them is a native sidecar. */
export function hashedText(
  containers: SidecarSet["spec"]["containers"],
  initContainers: SidecarSet["spec"]["initContainers"],
): string {
  const native = initContainers?.some((container) => container?.restartPolicy === "Always") ?? false;
  const text = (list: typeof containers): string => (list ? goJson(CONTAINERS, list) : "null");
  return `{"containers":${text(containers)}${native ? `,"initContainers":${text(initContainers)}` : ""}}`;
}

function withoutImage<C extends { image?: string }>(container: C): C {
  return container && { ...container, image: "" };
}

function digest(text: string): string {
  return safeEncode(createHash("sha256").update(text, "utf8").digest("hex"));
}

const SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** Kubernetes' encoding of a text into letters and digits that can't form words. */
export function safeEncode(text: string): string {
  let encoded = "";
  for (const byte of new TextEncoder().encode(text)) encoded += SAFE_ALPHABET[byte % SAFE_ALPHABET.length];
  return encoded;
}
