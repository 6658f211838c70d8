/** Flags of `fairway gateway` that are about the cluster; those about traffic are shared with `fairway up`. */
import { isIP } from 'node:net';
import { type Command, InvalidArgumentError } from 'commander';
import { gatewayControllerName } from '../routing/translate.ts';
import { parseNetwork } from '../service/external-addresses.ts';
import { addCertificateFlags, type CertificateFlags, objectName } from './certificate-flags.ts';
import { collect, controllerName, goBoolean, wholeNumber } from './flags.ts';
import { addIngressNginxFlags, type IngressNginxCliFlags } from './ingress-nginx-flags.ts';
import { addDrainFlag, addWorkersFlag } from './serving-flags.ts';
import { hostPort } from './telemetry-flags.ts';

export interface GatewayFlags extends CertificateFlags, IngressNginxCliFlags {
  kubeconfig?: string;
  context?: string;
  server?: string;
  listen?: string;
  ingressListen?: string;
  address?: string[];
  publishService?: string;
  health: { host: string; port: number };
  controllerName: string;
  gatewayServices: boolean;
  events: boolean;
  xbackendAllow?: string[];
  xbackendDeny?: string[];
  leaderElect: boolean;
  leaseName: string;
  leaseNamespace?: string;
  leaseDuration: number;
  statusQps: number;
  drainTimeout: number;
  workers: number;
}

function address(value: string): string {
  if (isIP(value) === 0) throw new InvalidArgumentError('an IP address is wanted');
  return value;
}

function network(value: string, before?: string[]): string[] {
  if (parseNetwork(value).length === 0) throw new InvalidArgumentError('an address or a CIDR is wanted');
  return collect(value, before);
}

export function addGatewayFlags(command: Command): void {
  command
    .option('--kubeconfig <file>', 'how to reach the API; default: the cluster that this runs in, else ~/.kube/config')
    .option('--context <name>', 'a context of the kubeconfig')
    .option('--server <url>', 'the API server; alone: without credentials')
    .option('--listen <ip>', 'where listeners are bound; default: :: (both families), or 0.0.0.0 without IPv6', address)
    .option('--ingress-listen <ip>', 'an address of their own for Ingresses; default: that of --listen', address)
    .option('--address <ip>', 'show this address in statuses (repeatable)', (value, before?: string[]) =>
      collect(address(value), before),
    )
    .option('--publish-service <ns/name>', 'show the addresses of this Service in statuses', objectName)
    .option('--health <host:port>', 'where /ready and /live answer', hostPort, { host: '0.0.0.0', port: 8082 })
    .option(
      '--controller-name <name>',
      'GatewayClasses with this spec.controllerName are served',
      controllerName,
      gatewayControllerName,
    )
    .option(
      '--gateway-services [bool]',
      'keep a Service for each Gateway, so that Pods reach it by name',
      goBoolean,
      true,
    )
    .option('--events [bool]', 'write Events about objects that something is wrong with', goBoolean, true)
    .option(
      '--xbackend-allow <cidr>',
      'names of XBackends may lead there though refused by default (repeatable)',
      network,
    )
    .option(
      '--xbackend-deny <cidr>',
      'names of XBackends may not lead there (repeatable); --xbackend-allow wins',
      network,
    )
    .option('--leader-elect [bool]', 'let one of several replicas write statuses, by a Lease', goBoolean, true)
    .option('--lease-name <name>', 'of the Lease', 'fairway-gateway')
    .option('--lease-namespace <namespace>', 'of the Lease; default: that of the Pod or the context')
    .option(
      '--lease-duration <seconds>',
      'time after which another replica leads when this one is gone',
      wholeNumber(3, 3600, 'a whole number of seconds from 3 to 3600'),
      15,
    )
    .option(
      '--status-qps <n>',
      'status writes a second, twice as many after a rest; 0: no bound',
      wholeNumber(0, 10_000, 'a whole number from 0 to 10,000'),
      50,
    );
  addCertificateFlags(command, 'fairway-issuers in the namespace of the Lease');
  addIngressNginxFlags(command);
  addDrainFlag(command, 30);
  addWorkersFlag(command);
}
