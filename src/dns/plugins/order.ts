/**
 * The order in which plugins see a query, whatever the order in the Corefile: that of CoreDNS 1.14 (plugin.cfg). One
 * line for each; a plugin without a setup is known and not served; `acme` is in no CoreDNS.
 */
import { closestTo } from '../../base/closest.ts';
import { setupAcl } from './acl/setup.ts';
import { setupAcme } from './acme/setup.ts';
import { setupAny } from './any/setup.ts';
import { setupAutopath } from './autopath/setup.ts';
import { setupBind } from './bind/setup.ts';
import { setupBufsize } from './bufsize/setup.ts';
import { setupCache } from './cache/setup.ts';
import { setupCancel } from './cancel/setup.ts';
import { setupChaos } from './chaos/setup.ts';
import { setupDebug } from './debug/setup.ts';
import { setupDns64 } from './dns64/setup.ts';
import { setupErratic } from './erratic/setup.ts';
import { setupErrors } from './errors/setup.ts';
import { setupFile } from './file/setup.ts';
import { setupForward } from './forward/setup.ts';
import { setupHeader } from './header/setup.ts';
import { setupHealth } from './health/setup.ts';
import { setupHosts } from './hosts/setup.ts';
import { setupHttps } from './https/setup.ts';
import { setupK8sExternal } from './k8s_external/setup.ts';
import { setupKubernetes } from './kubernetes/setup.ts';
import { setupLoadbalance } from './loadbalance/setup.ts';
import { setupLocal } from './local/setup.ts';
import { setupLog } from './log/setup.ts';
import { setupLoop } from './loop/setup.ts';
import { setupMetadata } from './metadata/setup.ts';
import { setupMinimal } from './minimal/setup.ts';
import { setupMultisocket } from './multisocket/setup.ts';
import { setupNsid } from './nsid/setup.ts';
import { setupPrometheus } from './prometheus/setup.ts';
import { setupReady } from './ready/setup.ts';
import { setupReload } from './reload/setup.ts';
import { setupRewrite } from './rewrite/setup.ts';
import { setupRoot } from './root/setup.ts';
import type { Setup } from './setup.ts';
import { setupTemplate } from './template/setup.ts';
import { setupTimeouts } from './timeouts/setup.ts';
import { setupTls } from './tls/setup.ts';
import { setupTransfer } from './transfer/setup.ts';
import { setupView } from './view/setup.ts';
import { setupWhoami } from './whoami/setup.ts';

export interface OrderedPlugin {
  readonly name: string;
  readonly setup?: Setup;
}

export const pluginOrder: readonly OrderedPlugin[] = [
  { name: 'root', setup: setupRoot },
  { name: 'metadata', setup: setupMetadata },
  { name: 'geoip' },
  { name: 'cancel', setup: setupCancel },
  { name: 'proxyproto' },
  { name: 'quic' },
  { name: 'grpc_server' },
  { name: 'https', setup: setupHttps },
  { name: 'https3' },
  { name: 'timeouts', setup: setupTimeouts },
  { name: 'multisocket', setup: setupMultisocket },
  { name: 'reload', setup: setupReload },
  { name: 'nsid', setup: setupNsid },
  { name: 'bufsize', setup: setupBufsize },
  { name: 'bind', setup: setupBind },
  { name: 'debug', setup: setupDebug },
  { name: 'trace' },
  { name: 'ready', setup: setupReady },
  { name: 'health', setup: setupHealth },
  { name: 'pprof' },
  { name: 'shed' },
  { name: 'prometheus', setup: setupPrometheus },
  { name: 'errors', setup: setupErrors },
  { name: 'log', setup: setupLog },
  { name: 'dnstap' },
  { name: 'local', setup: setupLocal },
  { name: 'dns64', setup: setupDns64 },
  { name: 'any', setup: setupAny },
  { name: 'chaos', setup: setupChaos },
  { name: 'loadbalance', setup: setupLoadbalance },
  { name: 'tsig' },
  { name: 'rewrite', setup: setupRewrite },
  { name: 'autopath', setup: setupAutopath },
  { name: 'acl', setup: setupAcl },
  // Ours: before the cache, which would remember for too long that there is no challenge.
  { name: 'acme', setup: setupAcme },
  { name: 'cache', setup: setupCache },
  { name: 'header', setup: setupHeader },
  { name: 'dnssec' },
  { name: 'tls', setup: setupTls },
  { name: 'minimal', setup: setupMinimal },
  { name: 'template', setup: setupTemplate },
  { name: 'transfer', setup: setupTransfer },
  { name: 'hosts', setup: setupHosts },
  { name: 'route53' },
  { name: 'azure' },
  { name: 'clouddns' },
  { name: 'k8s_external', setup: setupK8sExternal },
  { name: 'kubernetes', setup: setupKubernetes },
  { name: 'file', setup: setupFile },
  { name: 'auto' },
  { name: 'secondary' },
  { name: 'etcd' },
  { name: 'loop', setup: setupLoop },
  { name: 'forward', setup: setupForward },
  { name: 'grpc' },
  { name: 'erratic', setup: setupErratic },
  { name: 'whoami', setup: setupWhoami },
  { name: 'on' },
  { name: 'sign' },
  { name: 'view', setup: setupView },
  { name: 'nomad' },
];

const setups = new Map(pluginOrder.map(({ name, setup }) => [name, setup]));

/** Why a directive cannot be used; undefined when it can. */
export function checkDirective(name: string): string | undefined {
  if (setups.get(name)) return undefined;
  if (setups.has(name)) return `the plugin '${name}' is not supported by Fairway`;
  const near = closestTo(name, [...setups.keys()]);
  return `Unknown directive '${name}'${near ? `; did you mean '${near}'?` : ''}`;
}
