// SPDX-License-Identifier: Apache-2.0
import { ApiError, RESOURCES, type Api, type KubeObject, type Resource } from "@hot/kube";
import { GROUP, PLURAL, reasonCode } from "@hot/spec";
import type { FailurePolicy } from "./config.ts";
import { covers } from "./covers.ts";
import { prunesHotUpgrade, type Definition } from "./prunes.ts";
import { retryConflicts } from "./retry-conflicts.ts";
import {
  conversion,
  encoded,
  mutatingConfiguration,
  validatingConfiguration,
  type Endpoint,
} from "./webhook-configuration.ts";

/** Name of the CustomResourceDefinition. */
export const CRD = `${PLURAL}.${GROUP}`;

export interface RegisterOptions {
  api: Pick<Api, "get" | "create" | "update" | "patch">;
  endpoint: Endpoint;
  failurePolicy: FailurePolicy;
  signal?: AbortSignal;
}

/** What was written; names such as `mutatingwebhookconfigurations`. */
export interface Registered {
  created: string[];
  /** Was there with other content. */
  changed: string[];
  /** Something that the API server uses already did not trust all of this authority before. */
  isNewTrust: boolean;
  /** The API server drops `spec.updateStrategy.hotUpgrade`. */
  isPruning: boolean;
}

/** The CustomResourceDefinition is not there, so there is nothing to register for. */
export class CrdMissingError extends Error {
  override readonly name = "CrdMissingError";
}

/**
 * Makes the API server call this program: conversion of the CustomResourceDefinition, then the webhook configurations.
 * Writes only what differs, so a second call writes nothing; what other people have put beside it (labels, fields that
 * are not ours) stays.
 *
 * @throws {CrdMissingError}
 */
export async function register(options: RegisterOptions): Promise<Registered> {
  const { endpoint, failurePolicy } = options;
  const configurations = [
    [RESOURCES.mutatingWebhookConfigurations, mutatingConfiguration(endpoint, failurePolicy)],
    [RESOURCES.validatingWebhookConfigurations, validatingConfiguration(endpoint)],
  ] as const;
  const crd = await definition(options);
  const written: Registered = { created: [], changed: [], isNewTrust: false, isPruning: prunesHotUpgrade(crd) };
  if (await registerConversion(options, crd)) written.changed.push(`customresourcedefinitions/${CRD}`);
  for (const [resource, wanted] of configurations) {
    await ensure(options, resource, wanted as KubeObject, written);
  }
  return written;
}

async function definition({ api, signal }: RegisterOptions): Promise<KubeObject & Definition> {
  const call = signal === undefined ? {} : { signal };
  const crd = await found(api.get<KubeObject & Definition>(RESOURCES.customResourceDefinitions, CRD, call));
  if (crd !== undefined) return crd;
  const { sentence, fix, code } = reasonCode("CrdMissing");
  throw new CrdMissingError(`${sentence} ${fix} (${code})`);
}

async function registerConversion({ api, endpoint, signal }: RegisterOptions, crd: Definition): Promise<boolean> {
  const call = signal === undefined ? {} : { signal };
  const wanted = { conversion: conversion(endpoint) };
  if (covers(crd.spec, wanted)) return false;
  // `url` and `service` exclude each other, and a merge patch keeps what it does not name.
  const other = endpoint.url === undefined ? { url: null } : { service: null };
  const body = { spec: { conversion: withMember(wanted.conversion, other) } };
  await api.patch(RESOURCES.customResourceDefinitions, CRD, { type: "merge", body }, call);
  return true;
}

function withMember(conversion: object, member: object): object {
  const { webhook } = conversion as { webhook: { clientConfig: object } };
  return { ...conversion, webhook: { ...webhook, clientConfig: { ...webhook.clientConfig, ...member } } };
}

type Configuration = KubeObject & { webhooks?: { clientConfig?: { caBundle?: string } }[] };

/** Creates or corrects one object; whoever writes in between makes it read and compare again. */
function ensure(
  { api, endpoint, signal }: RegisterOptions,
  resource: Resource,
  wanted: KubeObject,
  written: Registered,
): Promise<void> {
  const call = signal === undefined ? {} : { signal };
  return retryConflicts(async () => {
    const present = await found(api.get<Configuration>(resource, wanted.metadata.name ?? "", call));
    if (present === undefined) {
      await api.create(resource, wanted, call);
      written.created.push(resource.plural);
    } else if (!covers(present, wanted)) {
      await api.update(resource, { ...present, ...wanted, metadata: present.metadata }, call);
      written.changed.push(resource.plural);
      const trusts = present.webhooks?.every((one) => one.clientConfig?.caBundle === encoded(endpoint)) ?? false;
      written.isNewTrust ||= !trusts;
    }
  });
}

/** The object, or `undefined` where the answer is 404. */
export async function found<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
