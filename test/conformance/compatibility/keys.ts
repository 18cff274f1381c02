// SPDX-License-Identifier: Apache-2.0
import * as names from "../../../packages/spec/src/names.ts";
import type { Row, Verdict } from "./row.ts";

/** What is to be said of each exported key; one that is added without a line here fails to compile. */
const REMARKS: Readonly<
  Record<Exclude<keyof typeof names, "pairNames" | "GROUP" | "PLURAL" | "KIND">, readonly [string, Verdict, string]>
> = {
  HASH_ANNOTATION: [
    "annotation of SidecarSet and pod",
    "same",
    "bit for bit; on pods the old form `{name: hash}` is read too; unknown keys of entries are kept",
  ],
  HASH_WITHOUT_IMAGE_ANNOTATION: ["annotation of SidecarSet and pod", "same", "bit for bit"],
  INJECTED_LIST_ANNOTATION: ["annotation of a pod", "same", ""],
  IN_PLACE_STATE_ANNOTATION: [
    "annotation of a pod",
    "same",
    "carries a `containerID` besides, which Kruise ignores; a broken one is replaced",
  ],
  WORKING_ANNOTATION: ["annotation of a pod", "better", "a wrong one is repaired from what runs"],
  VERSION_ANNOTATION_PREFIX: ["annotation of a pod", "better", "only ever grows"],
  VERSION_ALT_ANNOTATION_PREFIX: ["annotation of a pod", "same", ""],
  RECORD_ANNOTATION_PREFIX: [
    "annotation of a pod",
    "ours",
    "what an upgrade needs to be finished or aborted; Kruise ignores it",
  ],
  RETRY_ANNOTATION: [
    "annotation of a SidecarSet or a pod",
    "ours",
    "another value asks for failed upgrades to be tried again, once",
  ],
  CUSTOM_VERSION_LABEL: ["label of a v1alpha1 SidecarSet and of its revisions", "same", ""],
  CANARY_ANNOTATION: ["annotation of a SidecarSet", "same", "only `true` counts"],
  BASE_ANNOTATION: ["annotation of a SidecarSet", "better", "the base may be changed while its canary exists"],
  REVISION_OWNER_LABEL: ["label of a ControllerRevision", "same", ""],
  REVISION_HASH_LABEL: ["label of a ControllerRevision", "same", ""],
  INJECTED_ENV: ["env of every injected container", "same", ""],
  VERSION_ENV: ["env of a hot container", "better", "refused in a hot container of a SidecarSet"],
  VERSION_ALT_ENV: ["env of a hot container", "better", "refused in a hot container of a SidecarSet"],
  UPGRADABLE_CONDITION: [
    "condition of a pod",
    "better",
    "a message of another form is replaced; an entry of a SidecarSet that is gone is removed where it says false",
  ],
};

const TEXTS: Readonly<Record<keyof typeof REMARKS, string>> = names;

export function keyRows(): Row[] {
  return (Object.keys(REMARKS) as (keyof typeof REMARKS)[]).map((name) => {
    const [kind, verdict, remark] = REMARKS[name];
    return [`\`${TEXTS[name]}\` (${kind})`, verdict, remark];
  });
}
