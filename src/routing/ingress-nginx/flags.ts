/** What ingress-nginx is told on its command line, as far as it changes what becomes of Ingresses. */
import type { NginxConfig } from './config/config.ts';

/** Absent: the default of the flag. Keys of objects are `namespace/name`. */
export interface IngressNginxFlags {
  /** `--controller-class`: spec.controller of its IngressClasses. Default `k8s.io/ingress-nginx`. */
  readonly controllerClass?: string;
  /** `--ingress-class`: value of the legacy annotation, and name of a class without an object. Default `nginx`. */
  readonly ingressClass?: string;
  /** `--watch-ingress-without-class`. Default false. */
  readonly watchWithoutClass?: boolean;
  /** `--enable-ssl-passthrough`. Default false. */
  readonly sslPassthrough?: boolean;
  /** `--default-ssl-certificate`: a TLS Secret. */
  readonly defaultCertificate?: string;
  /** `--configmap`. Default `ingress-nginx/ingress-nginx-controller`. */
  readonly configMap?: string;
  /** `--tcp-services-configmap`, `--udp-services-configmap`. Default: those of its chart and of its plain manifests. */
  readonly tcpServices?: string;
  readonly udpServices?: string;
  /** `--default-backend-service`: answers what no Ingress takes. Default: 404. */
  readonly defaultBackend?: string;
  /** In the place of what the ConfigMap says. */
  readonly config?: NginxConfig;
}

export const nginxController = 'k8s.io/ingress-nginx';
export const nginxClass = 'nginx';
