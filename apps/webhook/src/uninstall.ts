// SPDX-License-Identifier: Apache-2.0
import { ApiError, RESOURCES, type Api, type KubeObject } from "@hot/kube";
import { markUninstalled, type InstallationOptions } from "./installation.ts";
import { CRD, found } from "./register.ts";
import { retryConflicts } from "./retry-conflicts.ts";
import { CONVERSION_SERVICE, NAME } from "./webhook-configuration.ts";

export interface UninstallOptions extends InstallationOptions {
  api: Pick<Api, "get" | "create" | "update" | "patch" | "delete">;
  /** Also set the conversion of the CustomResourceDefinition to `None`, if it is ours. */
  revertConversion: boolean;
}

/**
 * Takes away what makes the API server call this program, so that pods and SidecarSets can be written without it. First
 * tells the replicas, which still run, so that none registers again. May be called as often as one likes.
 *
 * @returns the names of what was changed
 */
export async function uninstall(options: UninstallOptions): Promise<string[]> {
  await retryConflicts(() => markUninstalled(options));
  const changed = await unregister(options.api);
  if (options.revertConversion && (await revertConversion(options))) changed.push(`customresourcedefinitions/${CRD}`);
  return changed;
}

/**
 * Deletes the two webhook configurations; what is not there is fine. Validation goes first: it would refuse what nobody
 * has given its defaults.
 */
export async function unregister(api: Pick<Api, "delete">): Promise<string[]> {
  const changed: string[] = [];
  for (const resource of [RESOURCES.validatingWebhookConfigurations, RESOURCES.mutatingWebhookConfigurations]) {
    try {
      await api.delete(resource, NAME);
      changed.push(`${resource.plural}/${NAME}`);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }
  return changed;
}

interface Crd extends KubeObject {
  spec?: { conversion?: { webhook?: { clientConfig?: { service?: { name?: string; namespace?: string } } } } };
}

/** Without a webhook the versions differ in name only; where another program converts, it stays. */
async function revertConversion({ api, namespace }: UninstallOptions): Promise<boolean> {
  const crd = await found(api.get<Crd>(RESOURCES.customResourceDefinitions, CRD));
  const clientConfig = crd?.spec?.conversion?.webhook?.clientConfig;
  if (clientConfig === undefined) return false;
  const { service } = clientConfig;
  const isOurs = service?.namespace === namespace && [NAME, CONVERSION_SERVICE].includes(service.name ?? "");
  if (service !== undefined && !isOurs) return false;
  const body = { spec: { conversion: { strategy: "None", webhook: null } } };
  await api.patch(RESOURCES.customResourceDefinitions, CRD, { type: "merge", body });
  return true;
}
