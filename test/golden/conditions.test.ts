/**
 * Every condition and reason that the Go types of v1.6.1 define (apis/v1/*_types.go): the golden case that shows that we
 * give it, or why it is not given. And the other way round: what we give is theirs, or stands among our own.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import type { Condition } from '../../src/kube/types/index.ts';
import { gatewayControllerName } from '../../src/routing/translate.ts';

type Subject =
  | 'GatewayClass'
  | 'Gateway'
  | 'Listener'
  | 'ListenerSet'
  | 'ListenerEntry'
  | 'Route'
  | 'Policy'
  | 'XBackend';

/** `given` is a golden case; `not`, why there is none. */
type Entry = readonly [reason: string, given: string] | readonly [reason: string, given: undefined, not: string];

const reserved = 'reserved for the future: "should not be used by implementations"';
const deprecated = 'deprecated in favour of Accepted and Pending';
const byDefault = 'the default of the CRD, which stands until we have looked; we never write it';

/** By subject and condition, the reasons of the Go types. */
const specified: Readonly<Record<Exclude<Subject, 'XBackend'>, Readonly<Record<string, readonly Entry[]>>>> = {
  GatewayClass: {
    Accepted: [
      ['Accepted', 'tls'],
      ['InvalidParameters', 'parameters'],
      ['Pending', undefined, byDefault],
      ['Unsupported', undefined, 'every class with our controllerName is one that users may define'],
      ['UnsupportedVersion', undefined, 'CRDs of other versions get best effort, which SupportedVersion=False tells'],
      ['Waiting', undefined, deprecated],
    ],
    SupportedVersion: [
      ['SupportedVersion', 'tls'],
      ['UnsupportedVersion', 'crd-versions'],
    ],
  },
  Gateway: {
    Accepted: [
      ['Accepted', 'tls'],
      ['ListenersNotValid', 'conflicts'],
      ['UnsupportedAddress', 'addresses-that-cannot-be-had'],
      ['InvalidParameters', 'parameters'],
      ['Invalid', undefined, 'what is wrong with a whole Gateway has one of the reasons above'],
      ['Pending', undefined, byDefault],
      ['NotReconciled', undefined, deprecated],
    ],
    Programmed: [
      ['Programmed', 'tls'],
      ['Invalid', 'programmed'],
      ['Pending', 'programmed'],
      ['AddressNotUsable', 'addresses-that-cannot-be-had'],
      ['AddressNotAssigned', 'address-not-assigned'],
      [
        'NoResources',
        undefined,
        'nothing is scheduled for a Gateway: the data plane that there is opens its sockets, and says why it cannot',
      ],
    ],
    ResolvedRefs: [
      ['ResolvedRefs', 'tls'],
      ['RefNotPermitted', 'client-certificates'],
      ['InvalidClientCertificateRef', 'client-certificates'],
      ['ListenersNotResolved', 'tls-invalid'],
    ],
    InsecureFrontendValidationMode: [['ConfigurationChanged', 'client-certificates']],
    Scheduled: [
      ['Scheduled', undefined, deprecated],
      ['NotReconciled', undefined, deprecated],
    ],
    Ready: [
      ['Ready', undefined, reserved],
      ['ListenersNotReady', undefined, reserved],
    ],
  },
  Listener: {
    Accepted: [
      ['Accepted', 'tls'],
      ['PortUnavailable', 'port-unavailable'],
      ['UnsupportedProtocol', 'infrastructure'],
      ['NoValidCACertificate', 'client-certificates'],
      ['UnsupportedValue', 'tls-invalid'],
    ],
    Conflicted: [
      ['HostnameConflict', 'conflicts'],
      ['ProtocolConflict', 'conflicts'],
      ['NoConflicts', 'tls'],
    ],
    ResolvedRefs: [
      ['ResolvedRefs', 'tls'],
      ['InvalidCertificateRef', 'tls-invalid'],
      ['InvalidRouteKinds', 'allowed-routes-kinds'],
      ['RefNotPermitted', 'tls-invalid'],
      ['InvalidCACertificateRef', 'client-certificates'],
      ['InvalidCACertificateKind', 'client-certificates'],
    ],
    Programmed: [
      ['Programmed', 'tls'],
      ['Invalid', 'programmed'],
      ['Pending', 'programmed'],
    ],
    OverlappingTLSConfig: [
      ['OverlappingHostnames', 'overlapping-hostnames-of-tls-listeners'],
      [
        'OverlappingCertificates',
        undefined,
        'a MAY: requests go by the host of the listener, whatever certificates cover, and misdirected ones get 421',
      ],
    ],
    Detached: [['Attached', undefined, 'deprecated in favour of Accepted']],
    Ready: [['Ready', undefined, reserved]],
  },
  ListenerSet: {
    Accepted: [
      ['Accepted', 'listener-sets-routes'],
      ['ListenersNotValid', 'listener-sets-programmed'],
      ['NotAllowed', 'listener-sets-allowed-listeners'],
      ['ParentNotAccepted', 'listener-sets-programmed'],
      ['Invalid', 'listener-sets-programmed'],
      ['Pending', undefined, byDefault],
    ],
    Programmed: [
      ['Programmed', 'listener-sets-routes'],
      ['Invalid', 'listener-sets-programmed'],
      ['Pending', 'listener-sets-programmed'],
    ],
  },
  ListenerEntry: {
    Conflicted: [
      ['HostnameConflict', 'listener-sets-precedence'],
      ['ProtocolConflict', 'listener-sets-precedence'],
      ['ListenerConflict', 'listener-sets-precedence'],
    ],
    Accepted: [
      ['Accepted', 'listener-sets-routes'],
      ['UnsupportedProtocol', 'listener-sets-programmed'],
      ['TooManyListeners', undefined, 'a Gateway has room for all listeners that objects can hold'],
    ],
    ResolvedRefs: [
      ['ResolvedRefs', 'listener-sets-routes'],
      ['InvalidCertificateRef', 'listener-sets-programmed'],
      ['InvalidRouteKinds', 'listener-sets-routes'],
      ['RefNotPermitted', 'listener-sets-tls'],
    ],
    Programmed: [
      ['Programmed', 'listener-sets-routes'],
      ['PortUnavailable', 'listener-sets-programmed'],
      ['Pending', 'listener-sets-programmed'],
      ['Invalid', 'listener-sets-programmed'],
    ],
    Ready: [['Ready', undefined, reserved]],
  },
  Route: {
    Accepted: [
      ['Accepted', 'tls'],
      ['NotAllowedByListeners', 'tls-routes'],
      ['NoMatchingListenerHostname', 'hostname-intersection'],
      ['NoMatchingParent', 'parent-refs'],
      ['UnsupportedValue', 'unserved-filters'],
      ['IncompatibleFilters', 'rewrite-and-redirect-exclude-each-other'],
      ['Pending', undefined, 'a route is written to once it was looked at, with the outcome'],
    ],
    ResolvedRefs: [
      ['ResolvedRefs', 'tls'],
      ['RefNotPermitted', 'reference-grants'],
      ['InvalidKind', 'tls-routes'],
      ['BackendNotFound', 'mirrors'],
      ['UnsupportedProtocol', 'invalid-backend-refs'],
    ],
    PartiallyInvalid: [['UnsupportedValue', 'mirrors']],
  },
  Policy: {
    Accepted: [
      ['Accepted', 'backend-tls-targets'],
      ['Conflicted', 'backend-tls-policies'],
      ['Invalid', 'backend-tls-policies'],
      ['TargetNotFound', 'backend-tls-targets'],
      ['NoValidCACertificate', 'no-valid-ca'],
    ],
    ResolvedRefs: [
      ['ResolvedRefs', 'backend-tls-targets'],
      ['InvalidCACertificateRef', 'no-valid-ca'],
      ['InvalidKind', 'no-valid-ca'],
    ],
  },
};

/** Reasons that the Go types have for other conditions or not at all: "controllers may raise this condition with other reasons". */
const ours: readonly string[] = [
  // What is wrong stands in both of a listener's summaries too.
  ...['Accepted', 'Programmed'].flatMap((type) => [
    `Listener ${type} HostnameConflict`,
    `Listener ${type} ProtocolConflict`,
  ]),
  ...['Accepted', 'Programmed'].flatMap((type) =>
    ['HostnameConflict', 'ProtocolConflict', 'ListenerConflict'].map((reason) => `ListenerEntry ${type} ${reason}`),
  ),
  'ListenerEntry Accepted NoValidCACertificate',
  'ListenerEntry Conflicted NoConflicts',
  'ListenerEntry OverlappingTLSConfig OverlappingHostnames',
  'ListenerEntry ResolvedRefs InvalidCACertificateRef',
  ...['ListenersNotValid', 'NotAllowed', 'ParentNotProgrammed', 'PortUnavailable'].map(
    (reason) => `ListenerSet Programmed ${reason}`,
  ),
  // GEP-3793 names the condition, and no reason.
  'Gateway DefaultGateway DefaultGateway',
  // A backend that a policy forbids to speak to in plain text, and what annotations of routes refer to.
  'Route ResolvedRefs InvalidBackendTLSPolicy',
  'Route ResolvedRefs SecretNotFound',
  'Route ResolvedRefs InvalidSecret',
  // The types of XBackend (apisx/v1alpha1) have conditions, and name none.
  ...['Accepted', 'Invalid', 'InvalidCACertificateRef', 'RefNotPermitted', 'UnsupportedValue'].map(
    (reason) => `XBackend Accepted ${reason}`,
  ),
];

interface Shown {
  readonly object: string;
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly listeners?: readonly { readonly conditions?: readonly Condition[] }[];
    readonly parents?: readonly { readonly controllerName: string; readonly conditions?: readonly Condition[] }[];
    readonly ancestors?: readonly { readonly controllerName: string; readonly conditions?: readonly Condition[] }[];
  };
}

const owners: Readonly<Record<string, readonly [whole: Subject, entry: Subject]>> = {
  GatewayClass: ['GatewayClass', 'GatewayClass'],
  Gateway: ['Gateway', 'Listener'],
  ListenerSet: ['ListenerSet', 'ListenerEntry'],
};

/** `Subject Type Reason` of every condition that a case shows; those of others have names with a domain. */
function conditionsOf({ object, status = {} }: Shown): string[] {
  const [whole, entry] = owners[object.slice(0, object.indexOf('/'))] ?? ['Route', 'Route'];
  const child = object.startsWith('XBackend/') ? 'XBackend' : 'Route';
  const mine = <T extends { readonly controllerName: string }>(list: readonly T[] = []) =>
    list.filter(({ controllerName }) => controllerName === gatewayControllerName);
  const told = (subject: Subject, conditions: readonly Condition[] = []) =>
    conditions.map(({ type, reason }) => `${subject} ${type} ${reason}`);
  return [
    ...told(whole, status.conditions),
    ...(status.listeners ?? []).flatMap(({ conditions }) => told(entry, conditions)),
    ...mine(status.parents).flatMap(({ conditions }) => told(child, conditions)),
    ...mine(status.ancestors).flatMap(({ conditions }) => told('Policy', conditions)),
  ];
}

const folder = join(import.meta.dirname, 'gateway');
const shown = new Map(
  readdirSync(folder)
    .filter((file) => file.endsWith('.out.yaml'))
    .map((file) => {
      const { statuses = [] } = load(readFileSync(join(folder, file), 'utf8')) as { statuses?: readonly Shown[] };
      return [file.slice(0, -'.out.yaml'.length), new Set(statuses.flatMap(conditionsOf))] as const;
    }),
);

const rows = Object.entries(specified).flatMap(([subject, types]) =>
  Object.entries(types).flatMap(([type, entries]) =>
    entries.map((entry) => ({ key: `${subject} ${type} ${entry[0]}`, given: entry[1], not: entry[2] })),
  ),
);

describe('conditions and reasons of the Gateway API', () => {
  it.each(rows.map((row) => [row.key, row] as const))('%s', (key, { given, not }) => {
    if (given !== undefined) {
      expect([...(shown.get(given) ?? [])], given).toContain(key);
      return;
    }
    expect(not!.length).toBeGreaterThan(0);
    // What is said never to be given must not be.
    expect([...shown].filter(([, keys]) => keys.has(key)).map(([name]) => name)).toEqual([]);
  });

  it('nothing is given that is neither theirs nor told to be ours', () => {
    const known = new Set([...rows.map(({ key }) => key), ...ours]);
    const given = new Set([...shown.values()].flatMap((keys) => [...keys]));
    const foreign = (key: string) => key.includes('example.com/') || key.includes(' Other ');
    expect([...given].filter((key) => !known.has(key) && !foreign(key)).sort()).toEqual([]);
    expect(ours.filter((key) => !given.has(key))).toEqual([]);
  });
});
