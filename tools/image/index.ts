// SPDX-License-Identifier: Apache-2.0
export { buildImages, type BuildOptions, type BuiltImage } from "./build.ts";
export { loadImages, type LoadOptions } from "./load.ts";
export { startRegistry, type Failure, type Registry, type RegistryOptions } from "./registry.ts";
