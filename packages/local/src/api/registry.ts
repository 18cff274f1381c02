// SPDX-License-Identifier: Apache-2.0
import { customType } from "./crd.ts";
import type { ApiObject } from "./object.ts";
import { collectionOf, type ResourceType, type ResourceVersion } from "./resource-type.ts";
import { BUILT_IN } from "./resources.ts";
import type { Store } from "./store.ts";

export interface Resolved {
  type: ResourceType;
  version: ResourceVersion;
}

export const CRD_COLLECTION = "apiextensions.k8s.io/customresourcedefinitions";

/** All kinds that exist at this moment: the built-in ones and one per stored CustomResourceDefinition. */
export class Registry {
  readonly #types = new Map<string, ResourceType>(BUILT_IN.map((type) => [collectionOf(type), type]));
  readonly #definitions = new Map<string, ApiObject>();

  constructor(store: Store) {
    store.subscribe(({ collection, type, object }) => {
      if (collection !== CRD_COLLECTION) return;
      const custom = customType(object);
      if (type === "DELETED") {
        this.#types.delete(collectionOf(custom));
        this.#definitions.delete(collectionOf(custom));
      } else {
        this.#types.set(collectionOf(custom), custom);
        this.#definitions.set(collectionOf(custom), object);
      }
    });
  }

  types(): ResourceType[] {
    return [...this.#types.values()];
  }

  find(group: string, version: string, plural: string): Resolved | undefined {
    const type = this.#types.get(collectionOf({ group, plural }));
    const found = type?.versions.find(({ name }) => name === version);
    return type && found ? { type, version: found } : undefined;
  }

  byCollection(collection: string): ResourceType | undefined {
    return this.#types.get(collection);
  }

  /** The definition of a custom kind, which says how its versions convert. */
  definition(type: ResourceType): ApiObject | undefined {
    return this.#definitions.get(collectionOf(type));
  }
}
