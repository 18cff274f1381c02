// SPDX-License-Identifier: Apache-2.0
export type Placeholder = never;
