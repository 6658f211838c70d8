/** Manifests that the kubectl tests write. */

export const deployment = (image: string, replicas = 2) => `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: ${image}
        ports: [{containerPort: 80}]
        resources: {requests: {cpu: 1, memory: 10Mi}}
`;

export const service = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
`;

export const route = (path: string) => `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: door}]
  hostnames: [web.example.com]
  rules:
  - matches: [{path: {type: PathPrefix, value: ${path}}}]
    backendRefs: [{name: web, port: 80}]
`;

export const gateway = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: door}
spec:
  gatewayClassName: fairway
  listeners: [{name: http, port: 80, protocol: HTTP}]
`;

export const configMap = (name: string, label = 'x') => `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, labels: {group: ${label}}}
data: {key: value}
`;

export const all = (...documents: string[]) => documents.join('\n---\n');
