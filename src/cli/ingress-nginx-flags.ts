/** Flags of ingress-nginx's own command line that change what becomes of Ingresses, under the names that they have there. */
import type { Command } from 'commander';
import type { IngressNginxFlags } from '../routing/ingress-nginx/flags.ts';
import { objectName } from './certificate-flags.ts';

export function addIngressNginxFlags(command: Command): void {
  command
    .option(
      '--default-ssl-certificate <ns/name>',
      'TLS Secret for names of Ingresses that have no certificate; default: none',
      objectName,
    )
    .option(
      '--configmap <ns/name>',
      'ConfigMap of the controller of ingress-nginx; default: ingress-nginx/ingress-nginx-controller',
      objectName,
    )
    .option('--tcp-services-configmap <ns/name>', 'its TCP services; default: ingress-nginx/tcp-services', objectName)
    .option('--udp-services-configmap <ns/name>', 'its UDP services; default: ingress-nginx/udp-services', objectName)
    .option('--default-backend-service <ns/name>', 'answers what no Ingress of ingress-nginx takes', objectName)
    .option('--controller-class <name>', 'controller of its IngressClasses; default: k8s.io/ingress-nginx')
    .option('--ingress-class <name>', 'its class where no IngressClass has the name; default: nginx')
    .option('--watch-ingress-without-class', 'serve Ingresses without a class as it would')
    .option('--enable-ssl-passthrough', 'follow its annotation ssl-passthrough');
}

export interface IngressNginxCliFlags {
  defaultSslCertificate?: string;
  configmap?: string;
  tcpServicesConfigmap?: string;
  udpServicesConfigmap?: string;
  defaultBackendService?: string;
  controllerClass?: string;
  ingressClass?: string;
  watchIngressWithoutClass?: boolean;
  enableSslPassthrough?: boolean;
}

/** Nothing where no flag is given. `--default-ssl-certificate` is for Ingresses of every class. */
export function ingressFlagsOf(flags: IngressNginxCliFlags): { ingressNginx?: IngressNginxFlags } {
  const { controllerClass, ingressClass } = flags;
  const asked: { -readonly [Key in keyof IngressNginxFlags]?: IngressNginxFlags[Key] | undefined } = {
    ...{ controllerClass, ingressClass },
    watchWithoutClass: flags.watchIngressWithoutClass,
    sslPassthrough: flags.enableSslPassthrough,
    defaultCertificate: flags.defaultSslCertificate,
    configMap: flags.configmap,
    tcpServices: flags.tcpServicesConfigmap,
    udpServices: flags.udpServicesConfigmap,
    defaultBackend: flags.defaultBackendService,
  };
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return given.length > 0 ? { ingressNginx: Object.fromEntries(given) } : {};
}
