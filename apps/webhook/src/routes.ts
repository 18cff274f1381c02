// SPDX-License-Identifier: Apache-2.0
import { RESOURCES, type Api, type KubeObject, type Reflector } from "@hot/kube";
import { reasonCode, type ControllerRevision, type SidecarSet } from "@hot/spec";
import { answer, podName, readRequest, ReviewError, type AdmissionRequest, type Decision } from "./admission.ts";
import type { FailurePolicy } from "./config.ts";
import type { InjectionEvents } from "./events.ts";
import { keepPrepared } from "./handlers/keep-prepared.ts";
import { convertReview } from "./handlers/convert.ts";
import { decidePod, faultDecision, type PodDecision } from "./handlers/pod.ts";
import { decideDefaults } from "./handlers/sidecar-set-mutate.ts";
import { decideValidity } from "./handlers/sidecar-set-validate.ts";
import type { Log } from "./log.ts";
import { readMetadataRules } from "./metadata-rules.ts";
import type { Metrics } from "./metrics.ts";
import { found } from "./register.ts";
import { PATHS } from "./webhook-configuration.ts";

export interface RouteOptions {
  /** This program's own. */
  namespace: string;
  api: Pick<Api, "get">;
  sidecarSets: Pick<Reflector<SidecarSet>, "store" | "synced" | "waitForSync">;
  namespaces: Pick<Reflector<KubeObject>, "store">;
  revisions: Pick<Reflector<ControllerRevision>, "store" | "synced">;
  failurePolicy: FailurePolicy;
  events: InjectionEvents;
  metrics: Metrics;
  log: Log;
  /** Does something after the answer has been sent. Default: `setImmediate`. */
  afterAnswer?: (work: () => void) => void;
}

/** Shorter than the webhook's timeout, so that the answer still arrives. */
const SYNC_WAIT_MS = 3000;
/** Both together, too. */
const NAMESPACE_WAIT_MS = 1500;

/** The webhooks by path: reads stores, asks the pure handlers, and tells metrics, log and events about the answer. */
export function createRoutes(options: RouteOptions): Record<string, (body: unknown) => object | Promise<object>> {
  const { metrics, log, sidecarSets, afterAnswer = (work): void => void setImmediate(work) } = options;
  const prepared = keepPrepared();
  const review =
    (decide: (request: AdmissionRequest) => Decision | Promise<Decision>) =>
    async (body: unknown): Promise<object> => {
      const start = performance.now();
      const request = readRequest(body);
      const decision = await decided(request, decide, log);
      const { kind, operation } = request;
      metrics.admission({ kind: kind.kind, operation, allowed: decision.allowed }, (performance.now() - start) / 1000);
      return answer(request, decision);
    };
  return {
    [PATHS.pod]: review(async (request) => {
      const decision = await podDecision(request, options, prepared);
      // A line of the log wakes up whoever reads it, and the API server waits for the same processors.
      afterAnswer(() => {
        try {
          report(request, decision, options);
        } catch (error) {
          log.error("an admission was not reported", { err: error, pod: podName(request) });
        }
      });
      return decision;
    }),
    [PATHS.sidecarSetDefaults]: review(decideDefaults),
    [PATHS.sidecarSetValidation]: review(async (request) => {
      const { api, namespace, revisions } = options;
      const metadataRules = await readMetadataRules(request, api, namespace);
      const decision = decideValidity(request, {
        sidecarSets: sidecarSets.store.list(),
        revisions: revisions.synced() ? revisions.store.list() : undefined,
        metadataRules,
      });
      if (!decision.allowed) log.info("SidecarSet refused", { name: request.name, message: decision.status?.message });
      return decision;
    }),
    [PATHS.convert]: convertReview,
  };
}

/** A fault of ours is an answer too: the API server would only say that the webhook failed. */
async function decided(
  request: AdmissionRequest,
  decide: (request: AdmissionRequest) => Decision | Promise<Decision>,
  log: Log,
): Promise<Decision> {
  try {
    return await decide(request);
  } catch (error) {
    if (error instanceof ReviewError) throw error;
    log.error("admission failed", { err: error, kind: request.kind.kind, name: request.name });
    const { sentence, code } = reasonCode("Internal");
    const message = `${sentence.replace(/\.$/, "")}: ${error instanceof Error ? error.message : String(error)} (${code})`;
    return { allowed: false, status: { code: 500, reason: "InternalError", message } };
  }
}

async function podDecision(
  request: AdmissionRequest,
  options: RouteOptions,
  prepared: ReturnType<typeof keepPrepared>,
): Promise<PodDecision> {
  const { sidecarSets, revisions, failurePolicy } = options;
  try {
    if (!sidecarSets.synced()) await sidecarSets.waitForSync(AbortSignal.timeout(SYNC_WAIT_MS));
  } catch {
    return faultDecision(request, failurePolicy, "ApiUnreachable", "the SidecarSets have not been read yet");
  }
  return decidePod(request, {
    sidecarSets: prepared(sidecarSets.store.list()),
    revisions: revisions.store.list(),
    namespace: await namespaceOf(request, options),
    failurePolicy,
    now: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
  });
}

/** From the store, or, since a namespace and its first pod often come in one breath, from the API server. */
async function namespaceOf(
  request: AdmissionRequest,
  { api, namespaces, log }: RouteOptions,
): Promise<{ name: string; labels?: Record<string, string> } | undefined> {
  const name = request.namespace || "default";
  try {
    const namespace =
      namespaces.store.get(name) ??
      (await found(api.get(RESOURCES.namespaces, name, { signal: AbortSignal.timeout(NAMESPACE_WAIT_MS) })));
    const labels = namespace?.metadata.labels;
    return namespace && { name, ...(labels !== undefined && { labels }) };
  } catch (error) {
    log.warn("namespace not read", { err: error, namespace: name });
    return undefined;
  }
}

function report(
  request: AdmissionRequest,
  decision: PodDecision,
  { metrics, log, events, sidecarSets }: RouteOptions,
): void {
  const pod = podName(request);
  const { report, fault, allowed } = decision;
  for (const { sidecarSet, containers } of report?.injected ?? []) {
    metrics.injection({ result: "injected", reason: "Injected" });
    log.info("injected", { pod, sidecarSet, containers });
  }
  // A SidecarSet that selects other pods is no news.
  for (const { reason } of report?.skipped ?? []) {
    if (reason !== "NoMatch") metrics.injection({ result: "skipped", reason });
  }
  if (fault === undefined) return;
  metrics.injection({ result: allowed ? "skipped" : "denied", reason: fault.reason });
  log.warn("not injected", { pod, allowed, code: fault.code, sidecarSet: fault.sidecarSet, why: fault.sentence });
  const sidecarSet = fault.sidecarSet === undefined ? undefined : sidecarSets.store.get(fault.sidecarSet);
  events.skipped(request, fault, sidecarSet);
}
