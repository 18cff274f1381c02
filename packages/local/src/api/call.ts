// SPDX-License-Identifier: Apache-2.0
import type { User } from "./admission-review.ts";
import type { Converter } from "./conversion.ts";
import type { FieldValidation } from "./decode.ts";
import type { Registry, Resolved } from "./registry.ts";
import type { Store } from "./store.ts";

/** What the handlers of one server share. */
export interface Context {
  store: Store;
  registry: Registry;
  converter: Converter;
  now: () => Date;
}

/** One authenticated request about one kind. */
export interface Call {
  resolved: Resolved;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
  user: User;
  dryRun: boolean;
  fieldValidation: FieldValidation;
  /** Adds a `Warning` header to the answer. */
  warn: (text: string) => void;
}

/** Times in objects have whole seconds. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
