/** Rules of ReferenceGrant, BackendTLSPolicy, XBackend and XBackendTrafficPolicy. */
import { golden, proven, type Rules, refused, unkept } from './rule.ts';

export const grantRules: Rules = {
  'ReferenceGrant spec': [
    { id: 'grants-add-up', says: 'Each grant adds to what is permitted' },
    { id: 'reference-grants', says: 'No reference to another namespace without a grant there' },
    {
      id: 'grants-can-be-taken-back',
      says: 'A grant that goes takes its permission with it',
      shown: proven(
        'src/routing/gateway/resolved.test.ts',
        'a ReferenceGrant for a certificate of another namespace that comes and goes',
      ),
    },
  ],
  'ReferenceGrant spec.from': [
    { id: 'entries-of-a-grant-are-alternatives', says: 'Entries of from and of to are combined by OR' },
    {
      id: 'grants-for-certificates',
      says: 'A Gateway may be permitted a Secret',
      shown: golden('tls-invalid'),
    },
  ],
  'ReferenceGrant spec.to': [
    { id: 'grants-hold-for-what-they-name', says: 'Group, kind and, where given, name; all of a kind without one' },
  ],
};

export const backendTlsRules: Rules = {
  'BackendTLSPolicy spec.targetRefs': [
    { id: 'older-backend-tls-policy-first', says: 'Of one target, the older policy; the other is Conflicted' },
    { id: 'first-backend-tls-policy-by-name', says: 'Of one age, the first by namespace and name' },
    { id: 'backend-tls-policy-of-a-port-first', says: 'A port and its Service are different targets' },
    { id: 'backend-tls-policy-of-the-tcp-port', says: 'Of ports of one number, the policy is for that of TCP' },
    { id: 'backend-tls-policy-of-no-port', says: 'A sectionName that is not there: not attached, and told' },
    {
      id: 'backend-tls-targets',
      says: 'Targets that are not there, and what is no Service: TargetNotFound, or a finding',
    },
    {
      id: 'one-target-of-a-policy',
      says: 'More than one target should not be supported for now',
      shown: unkept('Several are: each that is there has the policy, which is Conflicted when it has lost them all'),
    },
    {
      id: 'targets-of-a-policy-differ',
      says: 'Several of one Service differ in sectionName',
      shown: refused('sectionName must be unique when targetRefs includes 2 or more references to the same target'),
    },
  ],
  'BackendTLSPolicy spec.validation.caCertificateRefs': [
    { id: 'one-invalid-ca-of-two', says: 'One that is invalid: ResolvedRefs False, and connections fail with 5xx' },
    { id: 'no-valid-ca', says: 'All invalid: Accepted False, NoValidCACertificate' },
    {
      id: 'cas-or-well-known',
      says: 'These or wellKnownCACertificates, one of them',
      shown: refused('must not contain both CACertificateRefs and WellKnownCACertificates'),
    },
  ],
  'BackendTLSPolicy spec.validation.wellKnownCACertificates': [
    { id: 'backend-tls-policies', says: 'A value that is not known: Accepted False, Invalid' },
  ],
  'BackendTLSPolicy spec.validation.hostname': [
    {
      id: 'hostname-is-the-server-name',
      says: 'It is the server name',
      shown: proven(
        'src/proxy/upstream/tls.test.ts',
        'sends the server name, offers HTTP/1.1 alone and speaks TLS 1.3',
      ),
    },
    {
      id: 'names-of-the-certificate',
      says: 'The certificate has it, or one of subjectAltNames where there are any',
      shown: proven('test/features/backend-tls.test.ts', 'knows Pods by their SPIFFE identity'),
    },
  ],
  'BackendTLSPolicy status.ancestors': [
    { id: 'full-ancestors-take-no-more', says: 'A full list gets no further entries, and those of others stay' },
    {
      id: 'full-ancestors-end-the-policy',
      says: 'Where the list is full, the policy counts as impossible for further Gateways',
      shown: unkept('It is carried out all the same: an entry that is missing hurts less than traffic that ends'),
    },
    {
      id: 'ancestors-of-sets',
      says: 'An ancestor is the Gateway that the traffic comes through',
      shown: golden('listener-sets-backend-tls-policies'),
    },
  ],
};

export const backendTrafficRules: Rules = {
  'XBackendTrafficPolicy spec.targetRefs': [
    {
      id: 'older-traffic-policy-first',
      says: 'Of one target, the older policy or the first by name; nothing is merged',
    },
    { id: 'backend-traffic-policies', says: 'A target is a whole backend, whoever leads to it; values are judged' },
  ],
  'XBackendTrafficPolicy spec.retryConstraint': [
    {
      id: 'retries-beyond-the-budget',
      says: 'Once the budget is used up, a retry is answered with 503 instead',
      shown: proven('src/proxy/exchange/retry.test.ts', 'beyond the budget of its backend’s policy, which answers 503'),
    },
    {
      id: 'retries-of-the-route-stay',
      says: 'Whether a request is tried again at all, and how often, is for the route to say',
      shown: golden('backend-traffic-policies'),
    },
  ],
  'XBackendTrafficPolicy spec.retryConstraint.budget': [
    {
      id: 'budget-of-an-interval',
      says: 'Retries are a share of the requests of an interval',
      shown: proven('src/proxy/upstream/retry-budget.test.ts', 'permits a share of the requests'),
    },
    {
      id: 'interval-of-a-budget',
      says: 'An interval is from a second to an hour',
      shown: refused('interval cannot be greater than one hour or less than one second'),
    },
  ],
  'XBackendTrafficPolicy spec.retryConstraint.minRetryRate': [
    {
      id: 'least-retries',
      says: 'Some retries are permitted whatever the share comes to',
      shown: proven('src/proxy/upstream/retry-budget.test.ts', 'permits a few whatever the share'),
    },
  ],
  'XBackendTrafficPolicy spec.sessionPersistence': [
    { id: 'session-of-a-rule-before-that-of-its-backend', says: 'Sessions of a rule go before those of its backend' },
  ],
};

export const xBackendRules: Rules = {
  'XBackend spec': [
    { id: 'x-backends', says: 'It takes the place of a Service in routes; another namespace needs a grant' },
    {
      id: 'hostname-for-external-hostname',
      says: 'externalHostname stands beside type ExternalHostname, and only there',
      shown: refused('externalHostname must be set when type is ExternalHostname and must be unset otherwise'),
    },
  ],
  'XBackend spec.externalHostname.hostname': [
    {
      id: 'no-hostname-of-the-cluster',
      says: 'No addresses, and no names of the cluster',
      shown: golden('x-backends'),
    },
  ],
  'XBackend spec.protocol': [
    {
      id: 'protocol-of-the-backend-first',
      says: 'The protocol given, else that of the route; what a route cannot be sent over is UnsupportedProtocol',
      shown: golden('x-backends'),
    },
  ],
  'XBackend spec.tls': [
    {
      id: 'tls-of-the-backend',
      says: 'ServerOnly verifies as validation says; None is plain text, and is told',
      shown: golden('x-backends'),
    },
    {
      id: 'client-certificate-of-the-backend',
      says: 'ClientAndServer has a client certificate, and nothing else does',
      shown: refused('clientCertificateRef must be set if and only if mode is ClientAndServer'),
    },
  ],
  'XBackend status.parents': [
    {
      id: 'parents-of-a-backend',
      says: 'An entry for each parent that leads there; those of no use go, those of others stay',
      shown: golden('x-backends'),
    },
  ],
};
