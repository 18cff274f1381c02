// SPDX-License-Identifier: Apache-2.0
import type { Api, KubeObject, Resource } from "./api.ts";
import { ApiError } from "./api-error.ts";

/** Which objects of a resource: those of one namespace or of all, and those that the selectors match. */
export interface Selection {
  resource: Resource;
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

/** Objects of one page, as with other clients: what an API server has in memory for one request stays bounded. */
const PAGE = 500;

/** A list that expires while it is paged starts again this often before the caller backs off. */
const MAX_EXPIRED = 3;

/**
 * Reads a whole list, page by page, and returns the resourceVersion to watch from. `begin` is called at the start of
 * every attempt: when a page has expired (410) all objects seen so far count no more.
 */
export async function listAll(
  api: Pick<Api, "list">,
  { resource, ...selection }: Selection,
  signal: AbortSignal,
  visitor: { begin: () => void; visit: (object: KubeObject) => void },
): Promise<string> {
  for (let expired = 0; ; expired++) {
    visitor.begin();
    try {
      let token: string | undefined;
      for (;;) {
        const page = await api.list(resource, {
          ...selection,
          signal,
          limit: PAGE,
          onItem: (object) => visitor.visit(object as KubeObject),
          ...(token === undefined ? {} : { continue: token }),
        });
        for (const object of page.items ?? []) visitor.visit(object);
        token = page.metadata.continue;
        if (!token) return page.metadata.resourceVersion;
      }
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 410) || expired >= MAX_EXPIRED) throw error;
    }
  }
}
