// SPDX-License-Identifier: Apache-2.0
import type { Container } from "@hot/spec";
import type { ImageEntry } from "../catalogue.ts";
import { expand } from "./env.ts";

/** What the catalogue may refer to; filled in at each start. */
export interface ImageVariables extends Record<string, string> {
  POD_IP: string;
  POD_NAME: string;
  CONTAINER: string;
  SHM: string;
}

export function imageEnv(entry: ImageEntry, variables: ImageVariables): Record<string, string> {
  return Object.fromEntries(Object.entries(entry.env ?? {}).map(([name, value]) => [name, expand(value, variables)]));
}

/**
 * The command line of a container: `command` replaces ENTRYPOINT and CMD, `args` alone replaces CMD. `$(NAME)` means the
 * container's env in its own words, the agent's variables in the image's.
 */
export function commandLine(
  container: Container,
  entry: ImageEntry,
  env: Readonly<Record<string, string>>,
  variables: ImageVariables,
): string[] {
  const own = (words: readonly string[] = []): string[] => words.map((word) => expand(word, env));
  const image = (words: readonly string[] = []): string[] => words.map((word) => expand(word, variables));
  const command = container.command ?? [];
  const args = container.args ?? [];
  const line =
    command.length > 0
      ? [...own(command), ...own(args)]
      : [...image(entry.entrypoint), ...(args.length > 0 ? own(args) : image(entry.cmd))];
  return withPaths(line, entry);
}

/** Words that name a file of the image become the file of this machine. */
export function withPaths(argv: readonly string[], entry: ImageEntry): string[] {
  return argv.map((word) =>
    entry.paths !== undefined && Object.hasOwn(entry.paths, word) ? (entry.paths[word] ?? word) : word,
  );
}
