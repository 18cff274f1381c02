{{/*
One Deployment. Call with a dict: root, component (webhook or controller; names the Deployment and the ServiceAccount),
role (the flag), replicas, resources, nodeOptions.
*/}}
{{- define "hot.deployment" -}}
{{- $values := .root.Values -}}
{{- $admits := ne .role "controller" -}}
{{- /* Only what the API server calls. Two that share a node can't have the same port of it. */ -}}
{{- $hostNetwork := and $values.hostNetwork $admits -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: hot-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "hot.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  replicas: {{ .replicas }}
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    rollingUpdate:
      {{- if $hostNetwork }}
      # The next replica needs the ports that the present one has on its node.
      maxUnavailable: 1
      maxSurge: 0
      {{- else }}
      maxUnavailable: 0
      maxSurge: 1
      {{- end }}
  selector:
    matchLabels:
      {{- include "hot.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  template:
    metadata:
      labels:
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- include "hot.selector" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
      {{- with $values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: hot-{{ .component }}
      {{- include "hot.podCommon" .root | nindent 6 }}
      {{- if $hostNetwork }}
      hostNetwork: true
      dnsPolicy: ClusterFirstWithHostNet
      {{- end }}
      terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
      securityContext:
        {{- include "hot.podSecurity" . | nindent 8 }}
      {{- if $values.affinity }}
      affinity:
        {{- toYaml $values.affinity | nindent 8 }}
      {{- else if ne $values.antiAffinity "None" }}
      affinity:
        podAntiAffinity:
          {{- if eq $values.antiAffinity "Required" }}
          requiredDuringSchedulingIgnoredDuringExecution:
            - topologyKey: kubernetes.io/hostname
              labelSelector:
                matchLabels:
                  {{- include "hot.selector" .root | nindent 18 }}
                  app.kubernetes.io/component: {{ .component }}
          {{- else }}
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels:
                    {{- include "hot.selector" .root | nindent 20 }}
                    app.kubernetes.io/component: {{ .component }}
          {{- end }}
      {{- end }}
      {{- with $values.topologySpreadConstraints }}
      topologySpreadConstraints:
        {{- $labels := merge (dict "app.kubernetes.io/component" $.component) (include "hot.selector" $.root | fromYaml) }}
        {{- $defaults := dict "maxSkew" 1 "whenUnsatisfiable" "ScheduleAnyway" "labelSelector" (dict "matchLabels" $labels) }}
        {{- range . }}
        {{- $constraint := deepCopy . }}
        {{- range $key, $value := $defaults }}
        {{- if not (hasKey $constraint $key) }}{{ $_ := set $constraint $key $value }}{{ end }}
        {{- end }}
        - {{- toYaml $constraint | nindent 10 }}
        {{- end }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "hot.image" .root }}
          imagePullPolicy: {{ $values.image.pullPolicy }}
          args:
            - --role={{ .role }}
            - --log-level={{ $values.logLevel }}
            - --health-port={{ $values.ports.health }}
            {{- if $admits }}
            - --port={{ $values.ports.webhook }}
            - --failure-policy={{ $values.failurePolicy }}
            {{- if $values.certManager.enabled }}
            - --cert-dir=/etc/hot/certs
            {{- end }}
            {{- with $values.certificates.leafLifetime }}
            - --leaf-lifetime={{ . }}
            {{- end }}
            {{- with $values.certificates.authorityLifetime }}
            - --authority-lifetime={{ . }}
            {{- end }}
            {{- end }}
          env:
            - name: POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            {{- with .nodeOptions }}
            - name: NODE_OPTIONS
              value: {{ . | quote }}
            {{- end }}
            {{- with $values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            {{- if $admits }}
            - name: webhook
              containerPort: {{ $values.ports.webhook }}
            {{- end }}
            - name: health
              containerPort: {{ $values.ports.health }}
          # The first start may have to wait for the other replica's authority and for a slow API server.
          startupProbe:
            httpGet:
              path: /healthz
              port: health
            periodSeconds: 1
            timeoutSeconds: 5
            failureThreshold: 120
          readinessProbe:
            httpGet:
              path: /readyz
              port: health
            periodSeconds: 2
            timeoutSeconds: 5
            failureThreshold: 3
          livenessProbe:
            httpGet:
              path: /healthz
              port: health
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          {{- with .resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          securityContext:
            {{- include "hot.containerSecurity" . | nindent 12 }}
          {{- if and $admits $values.certManager.enabled }}
          volumeMounts:
            - name: certs
              mountPath: /etc/hot/certs
              readOnly: true
      volumes:
        - name: certs
          secret:
            secretName: hot-webhook-tls
          {{- end }}
{{- end }}
