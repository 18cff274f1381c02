// SPDX-License-Identifier: Apache-2.0
import {
  applyPatch,
  diff,
  injectPod,
  type InjectionReport,
  type PodNamespace,
  type PreparedSidecarSets,
} from "@hot/inject";
import { reasonCode, type ControllerRevision, type Pod, type Reason, type SidecarSet } from "@hot/spec";
import { podName, type AdmissionRequest, type Decision } from "../admission.ts";
import type { FailurePolicy } from "../config.ts";
import { withTokenMount } from "./token-mount.ts";

export interface PodContext {
  /** Whoever decides about many pods prepares them once for each change. */
  sidecarSets: readonly SidecarSet[] | PreparedSidecarSets;
  /** Those of the system namespace. */
  revisions: readonly ControllerRevision[];
  /** The pod's Namespace; `undefined` if it could not be read. */
  namespace: PodNamespace | undefined;
  failurePolicy: FailurePolicy;
  /** RFC 3339, UTC, whole seconds. */
  now: string;
}

/** Why a pod was not injected although a SidecarSet wants it. */
export interface Fault {
  /** The SidecarSet at fault, if one is. */
  sidecarSet?: string;
  code: string;
  reason: Reason;
  sentence: string;
  fix: string;
}

export interface PodDecision extends Decision {
  report?: InjectionReport;
  fault?: Fault;
}

/**
 * Decides about the creation of a pod. It answers whatever the pod is: what can't be injected is admitted unchanged
 * with a warning (`Ignore`) or denied with 403 and the code (`Fail`).
 */
export function decidePod(request: AdmissionRequest, context: PodContext): PodDecision {
  if (request.operation !== "CREATE" || (request.subResource ?? "") !== "" || request.resource.resource !== "pods") {
    return { allowed: true };
  }
  try {
    return inject(request, context);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return faultDecision(request, context.failurePolicy, "PatchFailed", `the pod can't be injected: ${detail}`);
  }
}

function inject(request: AdmissionRequest, context: PodContext): PodDecision {
  const pod = request.object as Pod;
  if (!Array.isArray(pod?.spec?.containers)) throw new TypeError("spec.containers is no list");
  const namespace = pod.metadata.namespace || request.namespace || "default";
  // The API server fills in the namespace after admission; the sentences of the report name it.
  const asked = { ...pod, metadata: { ...pod.metadata, namespace } };
  const result = injectPod({
    pod: asked,
    namespace: context.namespace,
    sidecarSets: context.sidecarSets,
    revisions: context.revisions,
    random: fractionOf(request.uid),
    now: context.now,
  });
  const { report } = result;
  if (report.denied !== undefined) return { ...refuse(request, context.failurePolicy, report.denied), report };
  const injected = withTokenMount(asked, result.pod);
  const patch = injected === result.pod ? result.patch : diff(asked, injected);
  // The API server rejects a pod whose patch does not apply, even under Ignore: so it is applied here first.
  const applied = applyPatch(pod, patch);
  if (diff(applied.spec, injected.spec).length > 0) throw new Error("the patch does not lead to the injected pod");
  return { allowed: true, patch, warnings: report.warnings, report };
}

/** FNV-1a of a text as a number in [0, 1): a request that is sent again gets the same choice. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  // The last bytes reach the upper bits only by this mixing.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

function plain(reason: Reason): Fault {
  const { code, sentence, fix } = reasonCode(reason);
  return { code, reason, sentence, fix };
}

function refuse(request: AdmissionRequest, failurePolicy: FailurePolicy, fault: Fault): PodDecision {
  const text = `${fault.sentence}. ${fault.fix} (${fault.code})`;
  if (failurePolicy === "Ignore") {
    return { allowed: true, warnings: [`the pod was admitted without sidecars: ${text}`], fault };
  }
  const message = `${podName(request)} was not admitted: ${text}`;
  return { allowed: false, fault, status: { code: 403, reason: "Forbidden", message } };
}

/** The decision about a pod whose injection could not even be tried. */
export function faultDecision(
  request: AdmissionRequest,
  failurePolicy: FailurePolicy,
  reason: Reason,
  sentence: string,
): PodDecision {
  return refuse(request, failurePolicy, { ...plain(reason), sentence });
}
