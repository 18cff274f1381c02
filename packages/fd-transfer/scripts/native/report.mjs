// SPDX-License-Identifier: Apache-2.0
// How the build scripts speak: one sentence for what was done, and what, why and fix for what was not.

/** Prints what is wrong, why, and what to do about it. Never returns. */
export function fail(what, cause, fix) {
  process.stderr.write(`\n@hot/fd-transfer: ${what}\n  why: ${cause}\n  fix: ${fix}\n`);
  process.exit(1);
}

export function say(sentence) {
  process.stdout.write(`@hot/fd-transfer: ${sentence}\n`);
}
