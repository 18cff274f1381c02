// SPDX-License-Identifier: Apache-2.0
export { buildImages, type BuiltImage } from "./build.ts";
export { loadImages } from "./load.ts";
export { startRegistry, type Registry } from "./registry.ts";
