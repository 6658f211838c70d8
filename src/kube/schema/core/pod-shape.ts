/** Fields of Pods and Pod templates, with the constant defaults of core/v1. */
import type { Schema } from '../structural/types.ts';
import {
  flag,
  int32,
  int64,
  intOrText,
  list,
  object,
  oneOf,
  or,
  protocol,
  quantities,
  text,
  textMap,
  texts,
} from './kind.ts';

const containerPort = object({ name: text, containerPort: int32, hostPort: int32, hostIP: text, protocol }, [
  'containerPort',
]);

const keyRef = object({ name: text, key: text, optional: flag }, ['key']);
const env = object(
  {
    name: text,
    value: text,
    valueFrom: object({
      fieldRef: object({ apiVersion: or(text, 'v1'), fieldPath: text }, ['fieldPath']),
      resourceFieldRef: object({ containerName: text, resource: text }, ['resource']),
      configMapKeyRef: keyRef,
      secretKeyRef: keyRef,
    }),
  },
  ['name'],
);
const envFrom = object({
  prefix: text,
  configMapRef: object({ name: text, optional: flag }),
  secretRef: object({ name: text, optional: flag }),
});

const httpGet = object(
  {
    path: or(text, '/'),
    port: intOrText,
    host: text,
    scheme: or(oneOf('HTTP', 'HTTPS'), 'HTTP'),
    httpHeaders: list(object({ name: text, value: text }, ['name'])),
  },
  ['port'],
);
const handlers = {
  httpGet,
  tcpSocket: object({ host: text, port: intOrText }, ['port']),
  exec: object({ command: texts }),
  grpc: object({ port: int32, service: or(text, '') }, ['port']),
};
const probe = object({
  ...handlers,
  initialDelaySeconds: int32,
  timeoutSeconds: or(int32, 1),
  periodSeconds: or(int32, 10),
  successThreshold: or(int32, 1),
  failureThreshold: or(int32, 3),
  terminationGracePeriodSeconds: int64,
});

const container = object(
  {
    name: text,
    image: text,
    command: texts,
    args: texts,
    workingDir: text,
    ports: list(containerPort),
    env: list(env),
    envFrom: list(envFrom),
    resources: or(object({ limits: quantities, requests: quantities }), {}),
    volumeMounts: list(object({ name: text, mountPath: text, subPath: text, readOnly: flag }, ['name', 'mountPath'])),
    livenessProbe: probe,
    readinessProbe: probe,
    startupProbe: probe,
    lifecycle: object(),
    restartPolicy: text,
    imagePullPolicy: oneOf('Always', 'IfNotPresent', 'Never'),
    terminationMessagePath: or(text, '/dev/termination-log'),
    terminationMessagePolicy: or(oneOf('File', 'FallbackToLogsOnError'), 'File'),
    securityContext: object(),
  },
  ['name'],
);

/** File mode of mounted ConfigMaps and Secrets: 0644. */
const defaultMode = or(int32, 420);
const volume = object(
  {
    name: text,
    configMap: object({ name: text, defaultMode }),
    secret: object({ secretName: text, defaultMode }),
    projected: object({ sources: list(object()), defaultMode }),
    emptyDir: object(),
    hostPath: object({ path: text, type: or(text, '') }, ['path']),
    persistentVolumeClaim: object({ claimName: text, readOnly: flag }, ['claimName']),
  },
  ['name'],
);

export const podSpec: Schema = object(
  {
    containers: list(container),
    initContainers: list(container),
    ephemeralContainers: list(object({ name: text }, ['name'])),
    volumes: list(volume),
    restartPolicy: or(oneOf('Always', 'OnFailure', 'Never'), 'Always'),
    terminationGracePeriodSeconds: or(int64, 30),
    activeDeadlineSeconds: int64,
    dnsPolicy: or(oneOf('ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'), 'ClusterFirst'),
    dnsConfig: object({
      nameservers: texts,
      searches: texts,
      options: list(object({ name: text, value: text })),
    }),
    nodeSelector: textMap,
    serviceAccountName: text,
    nodeName: text,
    hostNetwork: flag,
    hostPID: flag,
    hostIPC: flag,
    shareProcessNamespace: flag,
    setHostnameAsFQDN: flag,
    securityContext: or(object(), {}),
    imagePullSecrets: list(object({ name: text })),
    hostname: text,
    subdomain: text,
    affinity: object(),
    schedulerName: or(text, 'default-scheduler'),
    tolerations: list(object({ key: text, operator: text, value: text, effect: text, tolerationSeconds: int64 })),
    hostAliases: list(object({ ip: text, hostnames: texts }, ['ip'])),
    priorityClassName: text,
    priority: int32,
    readinessGates: list(object({ conditionType: text }, ['conditionType'])),
    enableServiceLinks: or(flag, true),
    preemptionPolicy: text,
    overhead: quantities,
    topologySpreadConstraints: list(object()),
  },
  ['containers'],
);
