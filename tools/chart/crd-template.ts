// SPDX-License-Identifier: Apache-2.0
import { stringify } from "yaml";
import { sidecarSetCrd } from "../../packages/spec/src/index.ts";

/**
 * The CustomResourceDefinition as a template. `conversion` is left out: the application fills it in when it can answer,
 * and a field that no version of the chart has is kept by `helm upgrade`. `keep`: an uninstall must not delete all
 * SidecarSets.
 */
export function crdTemplate(): string {
  const { apiVersion, kind, metadata, spec } = sidecarSetCrd();
  const { conversion: _, ...rest } = spec;
  const body = stringify({ spec: rest }, { lineWidth: 0, aliasDuplicateObjects: false });
  if (body.includes("{{")) throw new Error("the CustomResourceDefinition has a text that Helm would evaluate");
  return `{{- /* Generated from @hot/spec by tools/chart/generate.ts. */ -}}
{{- if .Values.crds.install }}
apiVersion: ${apiVersion}
kind: ${kind}
metadata:
  name: ${metadata.name}
  labels:
    {{- include "hot.labels" . | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
${body}{{- end }}
`;
}
