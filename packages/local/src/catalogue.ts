// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parse, YAMLParseError } from "yaml";
import { problemsOf, type CatalogueProblem } from "./catalogue-problems.ts";

/**
 * What the local node can run: image names mapped to commands of this machine.
 *
 * @example
 * const images: Catalogue = {
 *   images: {
 *     "hot/sidecar-demo:v1": {
 *       entrypoint: ["node", "/abs/dist/main.js"],
 *       env: { LISTEN_HOST: "$(POD_IP)", HOT_DIR: "$(SHM)/sidecar.hot" },
 *       paths: { "/hot-standby": "/abs/hot-standby" },
 *     },
 *   },
 * };
 */
export interface Catalogue {
  images: Record<string, ImageEntry>;
}

export interface ImageEntry {
  /** As ENTRYPOINT of a container image; `command` of the container replaces it. */
  entrypoint?: string[];
  /** As CMD; `args` (or `command`) of the container replaces it. */
  cmd?: string[];
  /** Lies below the container's own env. `$(POD_IP)`, `$(SHM)`, `$(CONTAINER)` and `$(POD_NAME)` are filled in. */
  env?: Record<string, string>;
  /** Words of command, hooks and exec probes that equal a key are replaced by the value: files that a real image holds. */
  paths?: Record<string, string>;
  /** More names of this very image: they share its digest, and the status always names the first. */
  tags?: string[];
  /** How a pull behaves: it takes `seconds`, or fails with `error` each time. */
  pull?: { seconds?: number; error?: string };
}

/** An image as the node uses it. */
export interface Image {
  /** The name that the status reports, whatever tag was asked for. */
  reportedName: string;
  /** `sha256:…`, equal for all tags of one image, different for different entries. */
  digest: string;
  entry: ImageEntry;
}

/** The catalogue cannot be used; `message` lists all problems, each with path, value and fix. */
export class CatalogueError extends Error {
  override name = "CatalogueError";
  readonly code = "BAD_CATALOGUE";
  readonly problems: readonly CatalogueProblem[];

  constructor(source: string, problems: readonly CatalogueProblem[], options?: ErrorOptions) {
    const lines = problems.map((p) => `  ${p.path || "(top)"}: ${p.message}${shown(p.value)}; ${p.fix}`);
    super(`the images catalogue (${source}) cannot be used:\n${lines.join("\n")}`, options);
    this.problems = problems;
  }
}

function shown(value: unknown): string {
  if (value === undefined) return "";
  const text = JSON.stringify(value) ?? typeof value;
  return `, but it is ${text.length > 80 ? `${text.slice(0, 77)}...` : text}`;
}

/** Reads a catalogue from a YAML or JSON file, or checks one that is given. Throws a `CatalogueError`. */
export function loadCatalogue(source: Catalogue | string): Catalogue {
  const name = typeof source === "string" ? source : "given as an object";
  const value: unknown = typeof source === "string" ? readFrom(source) : source;
  const problems = problemsOf(value);
  if (problems.length > 0) throw new CatalogueError(name, problems);
  return value as Catalogue;
}

function readFrom(path: string): unknown {
  try {
    return parse(readFileSync(path, "utf8"));
  } catch (error) {
    const problem =
      error instanceof YAMLParseError
        ? { path: "", message: `no valid YAML or JSON: ${error.message}`, fix: "correct the line that is named" }
        : {
            path: "",
            message: `cannot be read: ${(error as Error).message}`,
            fix: "check the path and its permissions",
          };
    throw new CatalogueError(path, [problem], { cause: error });
  }
}

/** The image with this name, or undefined. */
export function findImage(catalogue: Catalogue, name: string): Image | undefined {
  for (const [reportedName, entry] of Object.entries(catalogue.images)) {
    if (reportedName === name || entry.tags?.includes(name))
      return { reportedName, entry, digest: digestOf(reportedName, entry) };
  }
  return undefined;
}

/** The name takes part, so that two entries that happen to run the same command are still two images. */
function digestOf(name: string, { entrypoint, cmd, env, paths }: ImageEntry): string {
  const content = JSON.stringify([name, entrypoint ?? [], cmd ?? [], env ?? {}, paths ?? {}]);
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
