// SPDX-License-Identifier: Apache-2.0

/** A pod as far as a PATCH of it needs to know it. */
export interface Target {
  readonly name: string;
  resourceVersion: string;
  readonly at: number;
  readonly container: string;
  readonly image: string;
}

/** One way to write the same: an annotation and an image that stays as it is, valid only for one version of the pod. */
export interface WriteVariant {
  readonly what: string;
  readonly type: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: (pod: Target, fill: string) => unknown;
}

const FILL = "bench.hot.internal/fill";
const STRATEGIC = "application/strategic-merge-patch+json";

const strategic: Pick<WriteVariant, "type" | "body"> = {
  type: STRATEGIC,
  body: ({ resourceVersion, container, image }, fill) => ({
    metadata: { resourceVersion, annotations: { [FILL]: fill } },
    spec: { containers: [{ name: container, image }] },
  }),
};

/** The first is what the controller sends. */
export const VARIANTS: readonly WriteVariant[] = [
  { what: "as the controller writes", ...strategic },
  {
    what: "answer: PartialObjectMetadata",
    ...strategic,
    headers: { accept: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1" },
  },
  { what: "fieldValidation=Ignore", ...strategic, query: "?fieldValidation=Ignore" },
  { what: "fieldValidation=Strict", ...strategic, query: "?fieldValidation=Strict" },
  { what: "Accept-Encoding: gzip", ...strategic, headers: { "accept-encoding": "gzip" } },
  { what: "an annotation of 1 byte", ...strategic, body: (pod, fill) => strategic.body(pod, fill.slice(-1)) },
  {
    what: "JSON patch",
    type: "application/json-patch+json",
    body: ({ resourceVersion, at, image }, fill) => [
      { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
      { op: "add", path: `/metadata/annotations/${FILL.replace("/", "~1")}`, value: fill },
      { op: "replace", path: `/spec/containers/${at}/image`, value: image },
    ],
  },
  {
    what: "merge patch, which can't change an image",
    type: "application/merge-patch+json",
    body: ({ resourceVersion }, fill) => ({ metadata: { resourceVersion, annotations: { [FILL]: fill } } }),
  },
];
