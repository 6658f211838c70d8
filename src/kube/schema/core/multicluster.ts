/** ServiceImport (multicluster.x-k8s.io), for clusters without its CRD: the types and enums of that. */
import { type CoreKind, int32, list, object, oneOf, protocol, text, texts } from './kind.ts';

const port = object({ name: text, protocol, appProtocol: text, port: int32 }, ['port']);

export const serviceImport: CoreKind = {
  shape: object({
    spec: object({ type: oneOf('ClusterSetIP', 'Headless'), ips: texts, ports: list(port) }, ['ports', 'type']),
  }),
};
