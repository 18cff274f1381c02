// SPDX-License-Identifier: Apache-2.0
import { X509Certificate, createPrivateKey } from "node:crypto";
import { RESOURCES, type Api, type KubeObject } from "@hot/kube";
import { reasonCode } from "@hot/spec";
import { found } from "../register.ts";
import { retryConflicts } from "../retry-conflicts.ts";
import { SECRET } from "./secret.ts";

/** The authority that signs serving certificates, shared by all replicas through a Secret. */
export interface Authority {
  certPem: string;
  keyPem: string;
  /** The certificate before this one: other replicas may still serve under it. */
  previousCertPem?: string;
}

export interface AuthorityOptions {
  api: Pick<Api, "get" | "create" | "update">;
  namespace: string;
  now: Date;
  /** A new authority is made when the present one has less time than this. */
  renewBeforeMs: number;
  /** The authority that the caller serves under: stays trusted when the Secret was emptied or deleted. */
  present?: Pick<Authority, "certPem"> | undefined;
  /** Makes a new self-signed authority. */
  create: () => Promise<{ certPem: string; keyPem: string }>;
}

interface Secret extends KubeObject {
  type?: string;
  data?: Record<string, string>;
}

/** The Secret's content can't be used. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
}

/**
 * Reads the authority from the Secret; makes it, or a new one in good time before the end. Whoever of several replicas
 * writes first wins, and the others take what it wrote.
 *
 * @throws {CertificateError} when the Secret holds something else
 */
export function loadAuthority(options: AuthorityOptions): Promise<Authority> {
  const { api, namespace, now, renewBeforeMs, present } = options;
  const made = async (previousCertPem: string | undefined): Promise<Authority> => ({
    ...(await options.create()),
    ...(previousCertPem !== undefined && { previousCertPem }),
  });
  return retryConflicts(async () => {
    const secret = await found(api.get<Secret>(RESOURCES.secrets, SECRET, { namespace }));
    if (secret === undefined) {
      const authority = await made(present?.certPem);
      await createSecret(api, secretOf(authority, { name: SECRET, namespace }), namespace);
      return authority;
    }
    const known = Object.keys(secret.data ?? {}).length > 0 ? authorityOf(secret, namespace) : undefined;
    if (known !== undefined && msLeft(known.certPem, now) >= renewBeforeMs) return known;
    const next = await made(known?.certPem ?? present?.certPem);
    // With the resourceVersion that was read: a replica that was faster makes this a conflict.
    await api.update(RESOURCES.secrets, secretOf(next, secret.metadata), { namespace });
    return next;
  });
}

/** In a cluster the namespace is there; outside of one, where this program was just started, it is made. */
async function createSecret(api: AuthorityOptions["api"], secret: Secret, namespace: string): Promise<void> {
  const created = await found(api.create(RESOURCES.secrets, secret, { namespace }));
  if (created !== undefined) return;
  await api.create(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  await api.create(RESOURCES.secrets, secret, { namespace });
}

/** What the API server has to trust: the authority, and the one before it as long as that is valid. */
export function caBundle({ certPem, previousCertPem }: Authority, now: Date): string {
  const previous = previousCertPem !== undefined && msLeft(previousCertPem, now) > 0 ? [previousCertPem] : [];
  return [certPem, ...previous].map((pem) => pem.trim()).join("\n") + "\n";
}

function secretOf({ certPem, keyPem, previousCertPem }: Authority, metadata: KubeObject["metadata"]): Secret {
  const data = { "ca.crt": certPem, "ca.key": keyPem, ...(previousCertPem && { "ca-previous.crt": previousCertPem }) };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata,
    type: "Opaque",
    data: Object.fromEntries(Object.entries(data).map(([key, pem]) => [key, Buffer.from(pem).toString("base64")])),
  };
}

function authorityOf(secret: Secret, namespace: string): Authority {
  const pem = (key: string): string => Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");
  const [certPem, keyPem, previousCertPem] = [pem("ca.crt"), pem("ca.key"), pem("ca-previous.crt")];
  try {
    const certificate = new X509Certificate(certPem);
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) throw new Error("ca.key is not the key of ca.crt");
    if (previousCertPem !== "") msLeft(previousCertPem, new Date(0));
  } catch (cause) {
    const { sentence, fix, code } = reasonCode("CertificateInvalid");
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CertificateError(
      `Secret ${namespace}/${SECRET}: ${sentence.replace(/\.$/, "")}: ${why}. ${fix} (kubectl delete secret -n ${namespace} ${SECRET}) (${code})`,
      { cause },
    );
  }
  return { certPem, keyPem, ...(previousCertPem !== "" && { previousCertPem }) };
}

function msLeft(certPem: string, now: Date): number {
  return new X509Certificate(certPem).validToDate.getTime() - now.getTime();
}
