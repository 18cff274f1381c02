// SPDX-License-Identifier: Apache-2.0
import { ApiFailure } from "./failure.ts";
import type { ApiObject, JsonObject } from "./object.ts";
import type { Resolved } from "./registry.ts";

/** How a client wants objects shown: as they are, as a Table for printing, or as their metadata only. */
export type Representation = "object" | "table" | "metadata";

/** Chooses from an `Accept` header, first acceptable wins; 406 when nothing fits. */
export function representation(accept: string | undefined): Representation {
  const wishes = (accept ?? "*/*").split(",").map((wish) => wish.trim().toLowerCase());
  for (const wish of wishes) {
    const [media = "", ...parameters] = wish.split(";").map((part) => part.trim());
    if (!["application/json", "*/*", "application/*", ""].includes(media)) continue;
    const as = parameters.find((parameter) => parameter.startsWith("as="))?.slice(3);
    if (as === undefined) return "object";
    if (as === "table") return "table";
    if (as === "partialobjectmetadata" || as === "partialobjectmetadatalist") return "metadata";
  }
  throw new ApiFailure(406, "NotAcceptable", "only the following media types are accepted: application/json");
}

interface ListMeta {
  resourceVersion?: string;
  continue?: string;
  remainingItemCount?: number;
}

/** `meta.k8s.io/v1` Table; `include` is the query's includeObject. A watch sends the columns with its first event only. */
export function table(
  { version }: Resolved,
  objects: readonly ApiObject[],
  metadata: ListMeta,
  { include, now, columns = true }: { include: string; now: Date; columns?: boolean },
): JsonObject {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: columns
      ? version.columns.map(({ name, type, format = "", description = "", priority }) => ({
          name,
          type,
          format,
          description,
          priority,
        }))
      : null,
    rows: objects.map((object) => ({
      cells: version.columns.map((column) => column.value(object, now)),
      ...(include === "None" ? {} : { object: include === "Object" ? object : metadataOnly(object) }),
    })),
  };
}

export function metadataOnly({ metadata }: ApiObject): ApiObject {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
}
