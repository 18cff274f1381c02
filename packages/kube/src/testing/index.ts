// SPDX-License-Identifier: Apache-2.0
export { FakeApi } from "./fake-api.ts";
export { createFakeClock, type FakeClock } from "./fake-clock.ts";
export type { Call, CallMatch, Faults, Verb } from "./faults.ts";
