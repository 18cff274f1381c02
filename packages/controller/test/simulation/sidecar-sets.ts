// SPDX-License-Identifier: Apache-2.0
import type { PatchPodMetadata, SidecarContainer, SidecarSet, UpdateStrategy } from "@hot/spec";
import { hotContainer, sidecarSet } from "../support/builders.ts";

/** What a user wants, from which the stored SidecarSet follows. */
export interface Wish {
  readonly name: string;
  /** Base name of a hot container → image. */
  readonly hot: Readonly<Record<string, string>>;
  readonly empty: string;
  /** Image of the cold container `c`, if there is one. */
  readonly cold?: string;
  /** Another value makes pods that were injected before not upgradable. */
  readonly env: number;
  /** What `patchPodMetadata` writes into the annotation `note` of pods that are updated; absent: nothing. */
  readonly note?: string;
  readonly probe: ProbeKind;
  /** How many revisions are kept; absent: ten. */
  readonly historyLimit?: number;
  readonly strategy: UpdateStrategy;
}

export type ProbeKind = "exec" | "startup";

const EXEC = { exec: { command: ["/hot-standby", "probe"] } };

const known = new Map<string, SidecarSet>();

/** A stored SidecarSet for a wish, with the hashes that the webhook gives it. Version and generation are the server's. */
export function storedFor(wish: Wish): SidecarSet {
  const key = JSON.stringify(wish);
  const found = known.get(key);
  if (found !== undefined) return found;
  const hot = Object.entries(wish.hot).map(([name, image]) =>
    probed(hotContainer(name, image, wish.empty, null), wish),
  );
  const cold = wish.cold === undefined ? [] : [{ name: "c", image: wish.cold }];
  const { metadata, spec } = sidecarSet({ name: wish.name, containers: [...hot, ...cold], strategy: wish.strategy });
  const { name, annotations } = metadata;
  const note = wish.note === undefined ? {} : { patchPodMetadata: [notePatch(wish.note)] };
  const limit = wish.historyLimit === undefined ? {} : { revisionHistoryLimit: wish.historyLimit };
  const made: SidecarSet = {
    apiVersion: "apps.kruise.io/v1beta1",
    kind: "SidecarSet",
    metadata: { ...(name && { name }), ...(annotations && { annotations }) },
    spec: { ...spec, selector: { matchLabels: { app: "web" } }, ...note, ...limit },
  };
  known.set(key, made);
  return made;
}

function notePatch(note: string): PatchPodMetadata {
  return { annotations: { note }, patchPolicy: "Overwrite" };
}

function probed(container: SidecarContainer, { probe, env }: Wish): SidecarContainer {
  return {
    ...container,
    ...(env > 0 && { env: [{ name: "SETTING", value: String(env) }] }),
    ...(probe === "exec" ? { readinessProbe: EXEC } : { startupProbe: { ...EXEC, periodSeconds: 1 } }),
  };
}
