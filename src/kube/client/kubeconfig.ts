/** From kubeconfig files, a service account or a URL to how one API server is reached. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { type ClientConfig, type ConfigError, plainConfig, type TlsConfig } from './config.ts';
import { type Entry, type Kubeconfig, readKubeconfigFiles, type Section, together } from './kubeconfig-file.ts';
import { readCertificate, readMaterial, readUser } from './kubeconfig-user.ts';

type Read<T> = Result<T, ConfigError>;
type Environment = Readonly<Record<string, string | undefined>>;

export interface KubeconfigOptions {
  /** Files in order of precedence. */
  readonly files: readonly string[];
  /** Default: `current-context`. */
  readonly context?: string;
  /** Goes before the server of the cluster. */
  readonly server?: string;
}

/** A URL that we can speak to; undefined when it is none. */
function serverFault(server: string): string | undefined {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return `is no http or https URL: ${server}`;
  return url.username || url.password ? 'has a user name in it; name a user instead' : undefined;
}

function find(config: Kubeconfig, section: Section, name: string, wanted: string): Read<Entry> {
  const entry = config.find(section, name);
  if (entry) return ok(entry);
  const names = config.names(section).join(', ') || 'none';
  return err({ message: `${config.files.join(', ')}: ${wanted} is not there; ${section}: ${names}` });
}

function readCluster(cluster: Entry, given?: string): Read<{ server: string; tls: TlsConfig }> {
  if (cluster.raw('proxy-url')) return cluster.fail('proxy-url', 'is not supported: name a server that can be reached');
  const own = cluster.text('server');
  if (!own.ok) return own;
  const server = given ?? own.value;
  if (!server) return cluster.fail('server', 'is missing');
  const fault = serverFault(server);
  if (fault) return given ? err({ message: `the server ${fault}` }) : cluster.fail('server', fault);
  const read = together({
    ca: readMaterial(cluster, 'certificate-authority'),
    serverName: cluster.text('tls-server-name'),
    insecure: cluster.flag('insecure-skip-tls-verify'),
  });
  if (!read.ok) return read;
  if (read.value.insecure && read.value.ca)
    return cluster.fail('insecure-skip-tls-verify', 'goes against certificate-authority: leave out one of them');
  return ok({ server, tls: read.value });
}

/** The context's cluster, user and namespace. */
function readContext(context: Entry) {
  return together({
    cluster: context.text('cluster'),
    user: context.text('user'),
    namespace: context.text('namespace'),
  });
}

/** Credentials of a user; the certificate belongs to TLS. */
function withUser(base: ClientConfig, entry: Entry): Read<ClientConfig> {
  const read = together({ certificate: readCertificate(entry), user: readUser(entry) });
  if (!read.ok) return read;
  const { certificate, user } = read.value;
  return ok({ ...base, tls: { ...base.tls, certificate }, user });
}

export function loadKubeconfig({ files, context, server }: KubeconfigOptions): Read<ClientConfig> {
  const config = readKubeconfigFiles(files);
  if (!config.ok) return config;
  const contextName = context ?? config.value.currentContext;
  if (contextName === undefined)
    return err({ message: `${config.value.files.join(', ')}: there is no current-context; name one` });
  const found = find(config.value, 'contexts', contextName, `the context ${contextName}`);
  if (!found.ok) return found;
  const names = readContext(found.value);
  if (!names.ok) return names;
  const { cluster: clusterName, user: userName, namespace = 'default' } = names.value;
  if (clusterName === undefined) return found.value.fail('cluster', 'is missing');
  const cluster = find(config.value, 'clusters', clusterName, `the cluster ${clusterName}`);
  if (!cluster.ok) return cluster;
  const reached = readCluster(cluster.value, server);
  if (!reached.ok) return reached;
  const source = `${found.value.file} (context ${contextName})`;
  const base: ClientConfig = { ...reached.value, namespace, user: {}, source };
  if (userName === undefined) return ok(base);
  const user = find(config.value, 'users', userName, `the user ${userName}`);
  return user.ok ? withUser(base, user.value) : user;
}

/** Where kubectl looks: the files of `KUBECONFIG`, or `~/.kube/config`. */
export function defaultKubeconfigFiles(env: Environment = process.env): string[] {
  const named = (env.KUBECONFIG ?? '').split(delimiter).filter(Boolean);
  return named.length > 0 ? named : [join(env.HOME ?? homedir(), '.kube', 'config')];
}

export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What the kubelet gives every Pod: address in the environment, token and CA in files that it renews. */
export function inClusterConfig(env: Environment = process.env, folder = serviceAccountFolder): Read<ClientConfig> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port)
    return err({ message: 'not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set' });
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (serverFault(server)) return err({ message: `KUBERNETES_SERVICE_HOST and _PORT make no URL: ${server}` });
  const file = (name: string) => join(folder, name);
  if (!existsSync(file('token')))
    return err({ message: `${file('token')} is missing: the Pod has no service account token`, file: file('token') });
  const namespaceFile = file('namespace');
  return ok({
    server,
    namespace: existsSync(namespaceFile) ? readFileSync(namespaceFile, 'utf8').trim() || 'default' : 'default',
    tls: { insecure: false, ...(existsSync(file('ca.crt')) && { ca: { file: file('ca.crt') } }) },
    user: { token: { file: file('token') } },
    source: 'in-cluster',
  });
}

export interface FindConfigOptions {
  /** A file. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Alone: a server without credentials. With a kubeconfig or context: goes before that of the cluster. */
  readonly server?: string;
  readonly env?: Environment;
  /** Default that of the kubelet. */
  readonly serviceAccountFolder?: string;
}

/** What was named; else `KUBECONFIG`; else the cluster that we run in; else `~/.kube/config`. */
export function findClientConfig(options: FindConfigOptions): Read<ClientConfig> {
  const { kubeconfig, context, server, env = process.env } = options;
  if (kubeconfig !== undefined) return loadKubeconfig({ files: [kubeconfig], context, server });
  if (context !== undefined) return loadKubeconfig({ files: defaultKubeconfigFiles(env), context, server });
  if (server !== undefined) {
    const fault = serverFault(server);
    return fault ? err({ message: `the server ${fault}` }) : ok(plainConfig(server));
  }
  if (!env.KUBECONFIG && env.KUBERNETES_SERVICE_HOST) return inClusterConfig(env, options.serviceAccountFolder);
  return loadKubeconfig({ files: defaultKubeconfigFiles(env) });
}
