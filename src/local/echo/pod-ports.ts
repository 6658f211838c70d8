/** Which ports an echo Pod listens on, and what it speaks there. */
import type { Container, ContainerPort, Pod } from '../../kube/types/index.ts';
import type { L4Protocol } from '../../service/bind.ts';
import { type Environment, environmentOf, type Identity, identityOf, listOf } from './pod-identity.ts';

/**
 * `any`: HTTP/1.1, h2c, gRPC, TLS (with a certificate) or TCP echo, by what the client sends first.
 * `h2c-only`: the same, but plain HTTP/1.1 gets 400. `tcp-test`, `tls-test`: the conformance TCP server, which speaks
 * first. `udp-echo`: datagrams come back as they are. `udp-json`: wrapped in JSON with the Pod's identity.
 */
export type Speech = 'any' | 'h2c-only' | 'tcp-test' | 'tls-test' | 'udp-echo' | 'udp-json';

export interface PodPort {
  readonly port: number;
  readonly protocol: L4Protocol;
  readonly container: string;
  readonly speech: Speech;
  readonly identity: Identity;
}

/** A port as Services name it: number and protocol, not declared by any container. */
export interface GuessedPort {
  readonly port: number;
  readonly protocol: L4Protocol;
}

interface Process {
  readonly container: Container;
  readonly environment: Environment;
  readonly identity: Identity;
  /** The echo server of the Gateway API conformance suite, with default ports of its own. */
  readonly conformance: boolean;
}

/**
 * Declared containerPorts (TCP and UDP) of all containers and sidecars. A Pod that declares none listens, as its
 * program would, on the default ports of the conformance echo server if it is one, and on the numeric target ports
 * of the Services that select it. Each port once, in the order declared, at most `limit`.
 */
export function podPorts(pod: Pod, guessed: () => Iterable<GuessedPort>, limit: number): PodPort[] {
  const processes = processesOf(pod);
  const ports = new Map<string, PodPort>();
  const add = (process: Process, port: number, protocol: string) => {
    if (protocol !== 'TCP' && protocol !== 'UDP') return;
    const key = `${protocol} ${port}`;
    if (!isPort(port) || ports.has(key) || ports.size >= limit) return;
    const speech = speechOf(process, port, protocol);
    ports.set(key, { port, protocol, container: process.container.name, speech, identity: process.identity });
  };

  for (const process of processes)
    for (const { containerPort, protocol } of listOf<ContainerPort>(process.container.ports))
      add(process, containerPort, protocol ?? 'TCP');
  if (ports.size > 0 || processes.length === 0) return [...ports.values()];

  for (const process of processes) for (const { port, protocol } of defaultPorts(process)) add(process, port, protocol);
  for (const { port, protocol } of guessed()) add(processes[0]!, port, protocol);
  return [...ports.values()];
}

function processesOf(pod: Pod): Process[] {
  const sidecars = listOf<Container>(pod.spec.initContainers).filter((it) => it['restartPolicy'] === 'Always');
  return [...listOf<Container>(pod.spec.containers), ...sidecars].map((container) => {
    const environment = environmentOf(container, pod);
    const conformance = /(^|\/)echo-basic(:|@|$)/.test(container.image ?? '');
    return { container, environment, identity: identityOf(pod, environment), conformance };
  });
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65_535;
}

function portFrom(environment: Environment, name: string, otherwise: number): number {
  return Number(environment.get(name) || otherwise);
}

function defaultPorts({ environment, conformance }: Process): GuessedPort[] {
  if (!conformance) return [];
  const port = (name: string, otherwise: number, protocol: L4Protocol = 'TCP') => ({
    port: portFrom(environment, name, otherwise),
    protocol,
  });
  const secure = environment.has('TLS_SERVER_CERT');
  if (environment.get('UDP_ECHO_SERVER')) return [port('UDP_PORT', 8080, 'UDP')];
  if (environment.get('TCP_ECHO_SERVER')) return [port('TCP_PORT', 3000), ...(secure ? [port('TLS_PORT', 8443)] : [])];
  const http = [port('HTTP_PORT', 3000), ...(secure ? [port('HTTPS_PORT', 8443)] : [])];
  return environment.get('GRPC_ECHO_SERVER') ? http : [...http, port('H2C_PORT', 3001)];
}

function speechOf({ environment, conformance }: Process, port: number, protocol: L4Protocol): Speech {
  if (protocol === 'UDP') return environment.get('UDP_ECHO_SERVER') ? 'udp-json' : 'udp-echo';
  if (environment.get('TCP_ECHO_SERVER'))
    return port === portFrom(environment, 'TLS_PORT', 8443) && environment.has('TLS_SERVER_CERT')
      ? 'tls-test'
      : 'tcp-test';
  const grpc = environment.get('GRPC_ECHO_SERVER');
  return conformance && !grpc && port === portFrom(environment, 'H2C_PORT', 3001) ? 'h2c-only' : 'any';
}
