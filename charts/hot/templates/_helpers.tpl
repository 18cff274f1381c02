{{/*
Names do not contain the release: a cluster has one installation, because it has one CustomResourceDefinition, and the
application and its roles know the names.
*/}}

{{- define "hot.labels" -}}
{{ include "hot.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "hot.selector" -}}
app.kubernetes.io/name: hot
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "hot.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "hot.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "hot.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What every pod of the application has in common: its image, and what the image needs from the cluster. */}}
{{- define "hot.podCommon" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Seconds of a lifetime such as 12h. */}}
{{- define "hot.seconds" -}}
{{ mul (regexFind "^[0-9]+" .) (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400) (regexFind "[smhd]$" .)) }}
{{- end }}

{{/* Refuses what the schema can't: values that do not fit each other, as the program would at its start. */}}
{{- define "hot.refuse" -}}
{{- $ports := .Values.ports }}
{{- if eq (int $ports.webhook) (int $ports.health) }}
{{- fail (printf "ports.webhook and ports.health are both %d: give each a port of its own" (int $ports.health)) }}
{{- end }}
{{- $leaf := .Values.certificates.leafLifetime | default "7d" }}
{{- $authority := .Values.certificates.authorityLifetime | default "365d" }}
{{- if lt (include "hot.seconds" $leaf | int64) 30 }}
{{- fail (printf "certificates.leafLifetime is %s, but has to be at least 30s" $leaf) }}
{{- end }}
{{- if lt (include "hot.seconds" $authority | int64) (mul 4 (include "hot.seconds" $leaf)) }}
{{- fail (printf "certificates.authorityLifetime is %s, but has to be at least four times the leafLifetime (%s)" $authority $leaf) }}
{{- end }}
{{- end }}
