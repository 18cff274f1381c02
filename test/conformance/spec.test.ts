// SPDX-License-Identifier: Apache-2.0
import { checks, strictFiles, type Case } from "../../packages/spec/test/corpus/checks.ts";
import { runCorpus } from "./corpus.ts";

const copies = new URL("corpus/", import.meta.url);

for (const [file, check] of Object.entries(checks))
  runCorpus<Case>({ file, copies, check, strict: strictFiles.has(file) });
