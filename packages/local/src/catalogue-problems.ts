// SPDX-License-Identifier: Apache-2.0

export interface CatalogueProblem {
  /** Where, as in `images["hot/demo:v1"].env.PORT`. */
  path: string;
  message: string;
  value?: unknown;
  fix: string;
}

const ENTRY_FIELDS = ["entrypoint", "cmd", "env", "paths", "tags", "pull"];

/** Everything that is wrong with a catalogue, all at once. */
export function problemsOf(catalogue: unknown): CatalogueProblem[] {
  const images = isMap(catalogue) ? catalogue["images"] : undefined;
  if (!isMap(images)) {
    return [
      {
        path: "images",
        message: "must be a map of image names",
        value: images,
        fix: 'write "images: { NAME: { entrypoint: [...] } }"',
      },
    ];
  }
  const names = new Map<string, string>();
  return Object.entries(images).flatMap(([name, entry]) => [
    ...duplicates(names, name, `images["${name}"]`),
    ...entryProblems(`images["${name}"]`, entry, names),
  ]);
}

function entryProblems(path: string, entry: unknown, names: Map<string, string>): CatalogueProblem[] {
  if (!isMap(entry))
    return [{ path, message: "must be a map", value: entry, fix: `use the fields ${ENTRY_FIELDS.join(", ")}` }];
  const found: CatalogueProblem[] = [];
  for (const field of Object.keys(entry)) {
    if (!ENTRY_FIELDS.includes(field)) {
      found.push({
        path: `${path}.${field}`,
        message: "is not known",
        fix: `the fields are ${ENTRY_FIELDS.join(", ")}`,
      });
    }
  }
  for (const field of ["entrypoint", "cmd", "tags"]) {
    const value = entry[field];
    if (value !== undefined && !isWords(value)) {
      found.push({
        path: `${path}.${field}`,
        message: "must be a list of strings",
        value,
        fix: `write "${field}: [a, b]", numbers in quotes`,
      });
    } else if (field === "tags" && value !== undefined) {
      found.push(...value.flatMap((tag, i) => duplicates(names, tag, `${path}.tags[${i}]`)));
    }
  }
  for (const field of ["env", "paths"]) found.push(...mapProblems(`${path}.${field}`, entry[field]));
  for (const [from, to] of Object.entries(isMap(entry["paths"]) ? entry["paths"] : {})) {
    if (typeof to === "string" && !to.startsWith("/")) {
      found.push({
        path: `${path}.paths["${from}"]`,
        message: "must be an absolute path",
        value: to,
        fix: "containers run in a folder of their own: start it with /",
      });
    }
  }
  return [...found, ...pullProblems(`${path}.pull`, entry["pull"])];
}

function duplicates(names: Map<string, string>, name: string, path: string): CatalogueProblem[] {
  const first = names.get(name);
  if (first !== undefined)
    return [{ path, message: `names an image that ${first} has already`, value: name, fix: "remove one of the two" }];
  names.set(name, path);
  return [];
}

function mapProblems(path: string, value: unknown): CatalogueProblem[] {
  if (value === undefined) return [];
  if (!isMap(value)) return [{ path, message: "must be a map of strings", value, fix: "write KEY: value" }];
  return Object.entries(value)
    .filter(([, item]) => typeof item !== "string")
    .map(([key, item]) => ({
      path: `${path}.${key}`,
      message: "must be a string",
      value: item,
      fix: "put it in quotes",
    }));
}

function pullProblems(path: string, pull: unknown): CatalogueProblem[] {
  if (pull === undefined) return [];
  if (!isMap(pull))
    return [{ path, message: "must be a map", value: pull, fix: "write { seconds: 0.2 } or { error: text }" }];
  const { seconds, error, ...rest } = pull;
  const found: CatalogueProblem[] = [];
  if (seconds !== undefined && !(typeof seconds === "number" && seconds >= 0)) {
    found.push({
      path: `${path}.seconds`,
      message: "must be a number of at least 0",
      value: seconds,
      fix: "give seconds, as in 0.2",
    });
  }
  if (error !== undefined && typeof error !== "string") {
    found.push({
      path: `${path}.error`,
      message: "must be a string",
      value: error,
      fix: "give the text of the pull error",
    });
  }
  for (const field of Object.keys(rest)) {
    found.push({ path: `${path}.${field}`, message: "is not known", fix: "the fields are seconds, error" });
  }
  return found;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWords(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((word) => typeof word === "string");
}
