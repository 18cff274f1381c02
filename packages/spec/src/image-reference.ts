// SPDX-License-Identifier: Apache-2.0

/** An image name, normalised as container runtimes do: `nginx` is `docker.io/library/nginx`. */
export interface ImageReference {
  repository: string;
  tag?: string;
  digest?: string;
}

const COMPONENT = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const DOMAIN = `(?:${COMPONENT}(?:\\.${COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const PATH_COMPONENT = "[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*";
const NAME = `${DOMAIN}/${PATH_COMPONENT}(?:/${PATH_COMPONENT})*`;
const REFERENCE = new RegExp(
  `^(?<name>${NAME})(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<algorithm>[a-z0-9]+):(?<hex>[a-f0-9]+))?$`,
);
const DIGEST_LENGTHS: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };
const MAX_NAME_LENGTH = 255;
const MAX_REFERENCE_LENGTH = 1024;

/** Parses an image name; undefined where a container runtime refuses it. */
export function parseImage(image: string): ImageReference | undefined {
  if (image.length > MAX_REFERENCE_LENGTH || /^[a-f0-9]{64}$/.test(image)) return undefined;
  const { name, tag, algorithm, hex } = REFERENCE.exec(withDomain(image))?.groups ?? {};
  if (name === undefined || name.length > MAX_NAME_LENGTH) return undefined;
  if (algorithm !== undefined && hex?.length !== DIGEST_LENGTHS[algorithm]) return undefined;
  return {
    repository: name,
    ...(tag === undefined ? {} : { tag }),
    ...(algorithm === undefined ? {} : { digest: `${algorithm}:${hex}` }),
  };
}

function withDomain(image: string): string {
  const slash = image.indexOf("/");
  const first = image.slice(0, Math.max(0, slash));
  // An upper-case first component counts as a domain, because a path can't be upper-case.
  const hasDomain = slash >= 0 && (/[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first);
  const domain = hasDomain && first !== "index.docker.io" ? first : "docker.io";
  const rest = hasDomain ? image.slice(slash + 1) : image;
  return domain === "docker.io" && !rest.includes("/") ? `docker.io/library/${rest}` : `${domain}/${rest}`;
}

/** Kubernetes' default: Always for the tag `latest` or neither tag nor digest, else IfNotPresent. */
export function defaultPullPolicy(image: string): "Always" | "IfNotPresent" {
  const reference = parseImage(image);
  const tag = reference && !reference.digest ? (reference.tag ?? "latest") : reference?.tag;
  return tag === "latest" ? "Always" : "IfNotPresent";
}

/** Whether two names mean the same image: `nginx` and `docker.io/library/nginx:latest` do. */
export function sameImage(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [parseImage(a), parseImage(b)];
  return left !== undefined && right !== undefined && identity(left) === identity(right);
}

/** A digest decides, whatever the tag beside it. */
function identity({ repository, tag = "latest", digest }: ImageReference): string {
  return digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;
}
