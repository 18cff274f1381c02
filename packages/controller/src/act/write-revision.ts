// SPDX-License-Identifier: Apache-2.0
import { ApiError, RESOURCES, type Api } from "@hot/kube";
import { CUSTOM_VERSION_LABEL, type ControllerRevision } from "@hot/spec";

/** Where the ControllerRevisions are. Writes take no signal: what is under way at a stop is finished before another leads. */
export interface History {
  readonly api: Pick<Api, "get" | "list" | "create" | "patch" | "delete">;
  readonly namespace: string;
}

const RESOURCE = RESOURCES.controllerRevisions;

/** All with these labels, of whatever owner, as the API server has them now. */
export async function listRevisions(
  { api, namespace }: History,
  labelSelector: string,
  signal: AbortSignal,
): Promise<ControllerRevision[]> {
  const { items } = await api.list<ControllerRevision>(RESOURCE, { namespace, labelSelector, signal });
  return [...items];
}

/** @returns what has that name already; undefined: it is created */
export async function createRevision(
  { api, namespace }: History,
  revision: ControllerRevision,
  signal: AbortSignal,
): Promise<ControllerRevision | undefined> {
  try {
    await api.create(RESOURCE, revision, { namespace });
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === "AlreadyExists")) throw error;
    return api.get<ControllerRevision>(RESOURCE, revision.metadata.name ?? "", { namespace, signal });
  }
}

/** @param read - valid only for this state of it */
export async function editRevision(
  { api, namespace }: History,
  read: ControllerRevision,
  { revision, customVersion }: { readonly revision?: number; readonly customVersion?: string },
): Promise<void> {
  const { name = "", resourceVersion } = read.metadata;
  const labels = customVersion === undefined ? {} : { labels: { [CUSTOM_VERSION_LABEL]: customVersion } };
  const body = { metadata: { resourceVersion, ...labels }, ...(revision !== undefined && { revision }) };
  await api.patch(RESOURCE, name, { type: "merge", body }, { namespace });
}

/** @param read - valid only for this state of it; no harm is done if it is gone */
export async function removeRevision({ api, namespace }: History, read: ControllerRevision): Promise<void> {
  const { name = "", uid, resourceVersion } = read.metadata;
  const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
  try {
    await api.delete(RESOURCE, name, { namespace, preconditions });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  }
}
