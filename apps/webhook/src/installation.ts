// SPDX-License-Identifier: Apache-2.0
import { RESOURCES, type Api } from "@hot/kube";
import { SECRET } from "./certs/secret.ts";
import { found } from "./register.ts";

/** On the Secret of the authority: the installation that is being taken away, whose replicas register nothing more. */
export const UNINSTALLED_ANNOTATION = "hot.internal/uninstalled";

/**
 * What tells one installation from the next of the same name: the uid of its ServiceAccount, which all its pods find in
 * their token. Empty outside of a cluster.
 */
export function installationOf(token: string): string {
  try {
    const payload = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as {
      "kubernetes.io"?: { serviceaccount?: { uid?: unknown } };
    } | null;
    const uid = payload?.["kubernetes.io"]?.serviceaccount?.uid;
    return typeof uid === "string" ? uid : "";
  } catch {
    return "";
  }
}

export interface InstallationOptions {
  api: Pick<Api, "get" | "create" | "update">;
  namespace: string;
  /** {@link installationOf} this process. */
  installation: string;
}

/** Whether this installation is being taken away. */
export async function isUninstalled({ api, namespace, installation }: InstallationOptions): Promise<boolean> {
  if (installation === "") return false;
  const secret = await found(api.get(RESOURCES.secrets, SECRET, { namespace }));
  return secret?.metadata.annotations?.[UNINSTALLED_ANNOTATION] === installation;
}

/** From now on the replicas of this installation register nothing more. */
export async function markUninstalled({ api, namespace, installation }: InstallationOptions): Promise<void> {
  if (installation === "") return;
  const mark = { [UNINSTALLED_ANNOTATION]: installation };
  const secret = await found(api.get(RESOURCES.secrets, SECRET, { namespace }));
  if (secret === undefined) {
    const metadata = { name: SECRET, namespace, annotations: mark };
    await api.create(RESOURCES.secrets, { apiVersion: "v1", kind: "Secret", type: "Opaque", metadata }, { namespace });
    return;
  }
  const metadata = { ...secret.metadata, annotations: { ...secret.metadata.annotations, ...mark } };
  await api.update(RESOURCES.secrets, { ...secret, metadata }, { namespace });
}
