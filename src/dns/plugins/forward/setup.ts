import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Directive, Line } from '../../corefile/types.ts';
import { duration, expectArgs, integer, readBlock, refuse } from '../../corefile/values.ts';
import { keyOfName } from '../../wire/name.ts';
import { rcode, rcodeNumber } from '../../wire/numbers.ts';
import type { Handler, Plugin } from '../plugin.ts';
import type { Setup, SetupContext } from '../setup.ts';
import { createZoneMatcher, zonesOfWords } from '../zones.ts';
import { createForward, type Forward, type ForwardOptions, publishUpstream } from './forward.ts';
import type { PolicyName } from './policy.ts';
import { resolveTargets, type Target, targetsOf } from './targets.ts';
import type { UpstreamTarget } from './upstream.ts';
import { chooseUpstreams, formatUpstream } from './upstreams.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Upstreams of one directive; more are refused. */
const maxUpstreams = 15;

const policyNames: readonly PolicyName[] = ['random', 'round_robin', 'sequential'];

function rcodes(line: Line, allowSuccess: boolean): Set<number> {
  return new Set(
    expectArgs(line, 1, Infinity).map((word) => {
      const code = rcodeNumber(word);
      if (code === undefined) return refuse(line, `${word} is not a valid rcode`);
      if (code === rcode.NOERROR && !allowSuccess) return refuse(line, `NoError cannot be used in ${line.name}`);
      return code;
    }),
  );
}

function flag(line: Line): true {
  expectArgs(line, 0);
  return true;
}

function pem(line: Line, context: SetupContext, file: string): Buffer {
  try {
    return readFileSync(context.path(file));
  } catch (error) {
    return refuse(line, `${line.name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** `tls`, `tls CA`, `tls CERT KEY`, `tls CERT KEY CA`. */
function tlsOptions(line: Line, context: SetupContext): ConnectionOptions {
  const read = (file: string) => pem(line, context, file);
  const args = expectArgs(line, 0, 3);
  if (args.length === 1) return { ca: read(args[0]!) };
  if (args.length === 0) return {};
  return { cert: read(args[0]!), key: read(args[1]!), ...(args[2] && { ca: read(args[2]) }) };
}

interface Parsed {
  readonly directive: Directive;
  readonly targets: readonly Target[];
  readonly resolvers: readonly string[];
  readonly options: Omit<ForwardOptions, 'upstreams'>;
  readonly tlsServerName: string | undefined;
}

function readHealthCheck(line: Line) {
  const [interval, ...words] = expectArgs(line, 1, 4);
  const health = { intervalMs: duration(line, interval), recursionDesired: true, domain: '.' };
  while (words.length > 0) {
    const word = words.shift()!;
    if (word === 'no_rec') health.recursionDesired = false;
    else if (word === 'domain' && words.length > 0) health.domain = zonesOfWords(line, [words.shift()!])[0]!;
    else refuse(line, `health_check: unknown option ${word}`);
  }
  return health;
}

function readForward(directive: Directive, context: SetupContext): Parsed {
  const [from, ...to] = expectArgs(directive, 2, Infinity) as [string, ...string[]];
  const zones = zonesOfWords(directive, [from]);
  if (zones.length > 1)
    context.log('warning', `Unsupported CIDR notation: '${from}' expands to multiple zones. Using only '${zones[0]}'.`);
  const zone = zones[0]!;
  const except: string[] = [];
  const connection: Writable<NonNullable<ForwardOptions['connection']>> = { expireMs: 10_000 };
  const options: Writable<Omit<ForwardOptions, 'upstreams'>> = {
    ...{
      policy: 'random',
      maxFails: 2,
      maxInFlight: 0,
      failureMemoryMs: 0,
      failover: new Set<number>(),
      tcp: 'client',
    },
    metrics: context.shared.metrics,
  };
  let health = { intervalMs: 500, recursionDesired: true, domain: '.' };
  let tlsServerName: string | undefined;
  let resolvers: readonly string[] = [];
  let preferUdp = false;
  let forceTcp = false;
  readBlock(directive, {
    except: (line) => except.push(...zonesOfWords(line, expectArgs(line, 1, Infinity))),
    max_fails: (line) => (options.maxFails = integer(line, expectArgs(line, 1)[0], 0, 0xffffffff)),
    max_connect_attempts: (line) => (options.maxAttempts = integer(line, expectArgs(line, 1)[0], 0, 0xffffffff)),
    health_check: (line) => (health = readHealthCheck(line)),
    force_tcp: (line) => (forceTcp = flag(line)),
    prefer_udp: (line) => (preferUdp = flag(line)),
    tls: (line) => (connection.tls = tlsOptions(line, context)),
    tls_servername: (line) => (tlsServerName = expectArgs(line, 1)[0]),
    expire: (line) => (connection.expireMs = duration(line, expectArgs(line, 1)[0])),
    max_age: (line) => (connection.maxAgeMs = duration(line, expectArgs(line, 1)[0])),
    max_idle_conns: (line) => (connection.maxIdle = integer(line, expectArgs(line, 1)[0], 0)),
    read_timeout: (line) => (options.attemptTimeoutMs = duration(line, expectArgs(line, 1)[0], 1)),
    doh_method(line) {
      const [method] = expectArgs(line, 1);
      if (method !== 'POST' && method !== 'GET') refuse(line, 'doh_method must be either POST or GET');
      connection.dohMethod = method;
    },
    policy(line) {
      const name = policyNames.find((known) => known === expectArgs(line, 1)[0]);
      options.policy = name ?? refuse(line, `unknown policy '${line.args[0]}'`);
    },
    max_concurrent: (line) => (options.maxInFlight = integer(line, expectArgs(line, 1)[0], 0)),
    next: (line) => (options.next = rcodes(line, true)),
    next_on_nodata: (line) => (options.nextOnNodata = flag(line)),
    failfast_all_unhealthy_upstreams: (line) => (options.failFast = flag(line)),
    failover: (line) => (options.failover = rcodes(line, false)),
    resolver(line) {
      resolvers = expectArgs(line, 1, Infinity);
      const wrong = resolvers.find((text) => !isIP(text.replace(/^\[(.+)\](?::\d+)?$|^([^:]+):\d+$/, '$1$2')));
      if (wrong !== undefined) refuse(line, `resolver must be an IP address or IP:port: "${wrong}"`);
    },
    source_address(line) {
      const [address = ''] = expectArgs(line, 1);
      connection.localAddress = isIP(address) ? address : refuse(line, `invalid IP address: ${address}`);
    },
  });
  if (connection.maxAgeMs && connection.maxAgeMs < connection.expireMs!)
    refuse(directive, 'max_age must not be less than expire');
  options.tcp = forceTcp ? 'always' : preferUdp ? 'truncated' : 'client';
  connection.health = { ...health, tcp: forceTcp };
  if (tlsServerName !== undefined) connection.tls = { ...connection.tls, servername: tlsServerName };
  options.connection = connection;
  const targets = to.flatMap((word) => {
    const found = targetsOf(word, context.path(word));
    return found.ok ? found.value : refuse(directive, `forward: ${found.error}`);
  });
  const doubled = tlsServerName !== undefined && targets.find((target) => target.serverName !== undefined);
  if (doubled)
    refuse(
      directive,
      `both forward ('${tlsServerName}') and upstream ('${doubled.serverName}') TLS servernames are set`,
    );
  if (targets.length > maxUpstreams) refuse(directive, `more than ${maxUpstreams} TOs configured: ${targets.length}`);
  const inZone = createZoneMatcher([zone]);
  const zoneKey = keyOfName(zone);
  const excepted = createZoneMatcher(except);
  const everything = zone === '.' && except.length === 0;
  if (!everything)
    // The zone itself is forwarded even when `except` names it, as in CoreDNS.
    options.takes = ({ key }) =>
      inZone(key) !== undefined && (except.length === 0 || key === zoneKey || excepted(key) === undefined);
  return { directive, targets, resolvers, options, tlsServerName };
}

/** Says so when an upstream is this server itself: it would ask itself until every query times out. */
function warnOfOurselves(targets: readonly Target[], context: SetupContext): void {
  const own = context.shared.ownDoors();
  for (const target of targets) {
    if (!('address' in target)) continue;
    const { findings } = chooseUpstreams([formatUpstream(target)], own);
    if (findings.some(({ code }) => code === 'FW4004'))
      context.log(
        'error',
        `${formatUpstream(target)} is this server itself: queries forwarded there go round in a loop`,
      );
  }
}

/** `next` and `next_on_nodata` lead to another `forward` only: behind the last one they mean nothing. */
function start({ options }: Parsed, upstreams: readonly UpstreamTarget[], isLast: boolean): Forward {
  const { next, nextOnNodata, ...others } = options;
  return createForward({ ...(isLast ? others : options), upstreams });
}

/** `forward FROM TO... { ... }`, any number of times. */
export const setupForward: Setup = (directives, context): Plugin => {
  const all = directives.map((directive) => readForward(directive, context));
  const isLast = (i: number) => i === all.length - 1;
  const forwards: (Forward | undefined)[] = all.map((parsed, i) => {
    const known = parsed.targets.every((target) => 'address' in target);
    return known ? start(parsed, parsed.targets as readonly UpstreamTarget[], isLast(i)) : undefined;
  });

  function handlerFrom(at: number, last: Handler): Handler {
    const forward = forwards[at];
    if (at >= forwards.length || !forward) return last;
    const next = handlerFrom(at + 1, last);
    return (asked) => forward.handle(asked, next);
  }

  return {
    name: 'forward',
    // Nothing that it answers is repeated, unless a cache above keeps it.
    repeats: true,
    handle: (asked, next) => (forwards.length === 1 ? forwards[0]!.handle(asked, next) : handlerFrom(0, next)(asked)),
    async prepare() {
      for (const [i, parsed] of all.entries()) {
        if (forwards[i]) continue;
        const resolved = await resolveTargets(parsed.targets, parsed.resolvers);
        if (!resolved.ok) context.log('error', resolved.error);
        forwards[i] = start(parsed, resolved.ok ? resolved.value : [], isLast(i));
      }
    },
    start() {
      for (const { targets } of all) warnOfOurselves(targets, context);
    },
    metadata: publishUpstream,
    upstreams: () =>
      all.flatMap(({ targets }) => targets.map((t) => ('address' in t ? formatUpstream(t) : `${t.host}:${t.port}`))),
    close() {
      for (const forward of forwards) forward?.close();
    },
  };
};
