// SPDX-License-Identifier: Apache-2.0
import { ApiError, type Api, type KubeObject, type Resource } from "@hot/kube";

/** An API server's memory for a few objects: 404, 409 and resourceVersions as the real one has them. */
export interface FakeApi extends Pick<Api, "get" | "create" | "update" | "patch" | "delete"> {
  /** `create secrets/x`, in the order in which they were carried out. */
  readonly writes: string[];
  object(plural: string, name: string): object | undefined;
  put(plural: string, object: object): void;
  /** Runs once, before the next write is looked at: somebody else is faster. */
  beforeNextWrite(action: () => void): void;
  /** While set, every call is refused with this status. */
  refuse: number | undefined;
}

/** A cache of SidecarSets that has its list. */
export const listed = { synced: (): boolean => true, waitForSync: (): Promise<void> => Promise.resolve() };

export function createFakeApi(): FakeApi {
  const objects = new Map<string, KubeObject>();
  const writes: string[] = [];
  let version = 0;
  let interference: (() => void) | undefined;
  const key = ({ plural }: Pick<Resource, "plural">, name: string): string => `${plural}/${name}`;
  const refusal = (status: number, what: string): ApiError => new ApiError(what, status, { message: "fake" });

  const check = (what: string): void => {
    if (fake.refuse !== undefined) throw refusal(fake.refuse, what);
  };
  const store = (resource: Resource, object: KubeObject, verb: string): KubeObject => {
    const name = object.metadata.name ?? "";
    const stored = structuredClone({ ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } });
    objects.set(key(resource, name), stored);
    writes.push(`${verb} ${key(resource, name)}`);
    return structuredClone(stored);
  };
  const write = (): void => {
    const action = interference;
    interference = undefined;
    action?.();
  };

  const fake: FakeApi = {
    writes,
    refuse: undefined,
    object: (plural, name) => objects.get(`${plural}/${name}`),
    put: (plural, object) => {
      const { metadata } = object as KubeObject;
      const resourceVersion = String(++version);
      objects.set(
        `${plural}/${metadata.name}`,
        structuredClone({ ...object, metadata: { ...metadata, resourceVersion } }),
      );
    },
    beforeNextWrite: (action) => {
      interference = action;
    },
    get: async <T>(resource: Resource, name: string) => {
      check(`get ${key(resource, name)}`);
      const object = objects.get(key(resource, name));
      if (object === undefined) throw refusal(404, `get ${key(resource, name)}`);
      return structuredClone(object) as T;
    },
    create: async <T>(resource: Resource, object: object) => {
      const { metadata } = object as KubeObject;
      check(`create ${key(resource, metadata.name ?? "")}`);
      write();
      if (objects.has(key(resource, metadata.name ?? ""))) throw refusal(409, "create");
      return store(resource, object as KubeObject, "create") as T;
    },
    update: async <T>(resource: Resource, object: object) => {
      const { metadata } = object as KubeObject;
      write();
      const present = objects.get(key(resource, metadata.name ?? ""));
      if (present === undefined) throw refusal(404, "update");
      if (present.metadata.resourceVersion !== metadata.resourceVersion) throw refusal(409, "update");
      return store(resource, object as KubeObject, "update") as T;
    },
    patch: async <T>(resource: Resource, name: string, patch: Parameters<Api["patch"]>[2]) => {
      const present = objects.get(key(resource, name));
      if (present === undefined) throw refusal(404, "patch");
      return store(resource, merge(present, patch.body) as KubeObject, "patch") as T;
    },
    delete: async (resource: Resource, name: string) => {
      if (!objects.delete(key(resource, name))) throw refusal(404, "delete");
      writes.push(`delete ${key(resource, name)}`);
      return {};
    },
  };
  return fake;
}

/** RFC 7396. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(target as Record<string, unknown> | undefined) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
