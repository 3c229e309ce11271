{{- define "sluice.selector" -}}
app.kubernetes.io/name: sluice
app.kubernetes.io/component: operator
{{- end }}

{{- define "sluice.evaluatorSelector" -}}
app.kubernetes.io/name: sluice
app.kubernetes.io/component: evaluator
{{- end }}

{{- define "sluice.labels" -}}
app.kubernetes.io/name: sluice
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "sluice.image" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}

{{/* The pod security standard "restricted", and a little more. */}}
{{- define "sluice.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "sluice.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Where pods may run: the same for the operator and the jobs of the hooks. */}}
{{- define "sluice.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* A hook's own account, what it may do, and its job. Dict: root, name, hook, rules, args, timeoutSeconds, volumes,
mounts; once: it ends with the first failure, whose words would go under in a second try. */}}
{{- define "sluice.hook" -}}
{{- $hook := dict "helm.sh/hook" .hook "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "sluice.labels" .root | nindent 4 }}
  annotations: {{- toYaml (merge (dict "helm.sh/hook-weight" "-10") $hook) | nindent 4 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ .name }}
  labels: {{- include "sluice.labels" .root | nindent 4 }}
  annotations: {{- toYaml (merge (dict "helm.sh/hook-weight" "-10") $hook) | nindent 4 }}
rules: {{- toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ .name }}
  labels: {{- include "sluice.labels" .root | nindent 4 }}
  annotations: {{- toYaml (merge (dict "helm.sh/hook-weight" "-5") $hook) | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ .name }}
    namespace: {{ .root.Release.Namespace }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "sluice.labels" .root | nindent 4 }}
  annotations: {{- toYaml (merge (dict "helm.sh/hook-weight" "0") $hook) | nindent 4 }}
spec:
  {{- if .once }}
  backoffLimit: 0
  podFailurePolicy:
    rules:
      # A pod that was evicted or preempted did not fail: another takes its place.
      - action: Ignore
        onPodConditions:
          - type: DisruptionTarget
  {{- else }}
  backoffLimit: 2
  {{- end }}
  activeDeadlineSeconds: {{ .timeoutSeconds }}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: sluice
        app.kubernetes.io/component: {{ .name }}
    spec:
      serviceAccountName: {{ .name }}
      restartPolicy: Never
      securityContext: {{- include "sluice.podSecurity" .root | nindent 8 }}
      {{- include "sluice.placement" .root | nindent 6 }}
      containers:
        - name: {{ .name }}
          {{- include "sluice.image" .root | nindent 10 }}
          command: [node, /app/operator.mjs]
          args: {{- toYaml .args | nindent 12 }}
          env:
            - name: POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
          resources: {{- toYaml .root.Values.resources | nindent 12 }}
          securityContext: {{- include "sluice.containerSecurity" .root | nindent 12 }}
          {{- with .mounts }}
          volumeMounts: {{- toYaml . | nindent 12 }}
          {{- end }}
      {{- with .volumes }}
      volumes: {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}

{{/* A value as a literal of CEL, whose maps and lists take values of one type only. */}}
{{- define "sluice.cel" -}}
{{- if kindIs "map" . -}}
{ {{- $first := true }}{{ range $key, $value := . }}{{ if not $first }}, {{ end }}{{ $first = false }}{{ $key | toJson }}: dyn({{ include "sluice.cel" $value }}){{ end -}} }
{{- else if kindIs "slice" . -}}
[ {{- range $index, $value := . }}{{ if $index }}, {{ end }}dyn({{ include "sluice.cel" $value }}){{ end -}} ]
{{- else -}}
{{ toRawJson . }}
{{- end -}}
{{- end }}
