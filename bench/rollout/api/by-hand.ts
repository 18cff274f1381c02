// SPDX-License-Identifier: Apache-2.0
import { pairNames, type Pod } from "@hot/spec";
import { BASE, EMPTY } from "./objects.ts";

/** What has to be written in a pod next so that it gets to an image, with no record and no controller. */
export type HandStep =
  | { readonly do: "upgrade" | "reset"; readonly images: Readonly<Record<string, string>> }
  | { readonly do: "wait" | "nothing" };

export function handStep({ metadata, spec, status }: Pod, wish: string): HandStep {
  const sides = pairNames(BASE).map((name) => ({
    name,
    image: spec.containers.find((one) => one.name === name)?.image ?? "",
    status: status?.containerStatuses?.find((one) => one.name === name),
  }));
  if (status?.observedGeneration !== metadata.generation) return { do: "wait" };
  if (!sides.every((one) => one.status?.ready === true && one.status.image === one.image)) return { do: "wait" };
  const [empty, other] = [sides.find(({ image }) => image === EMPTY), sides.find(({ image }) => image !== EMPTY)];
  const target = sides.find(({ image }) => image === wish);
  if (empty !== undefined) {
    return target === undefined ? { do: "upgrade", images: { [empty.name]: wish } } : { do: "nothing" };
  }
  const old = sides.find((one) => one !== target) ?? other;
  return { do: "reset", images: { [old?.name ?? ""]: EMPTY } };
}
