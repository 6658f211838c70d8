/** Rules of GatewayClass and Gateway. */
import { golden, proven, type Rules, refused, unkept } from './rule.ts';

export const classRules: Rules = {
  'GatewayClass spec.controllerName': [
    { id: 'class-by-controller', says: 'Classes of other controllers are left alone', shown: golden('no-adoption') },
    { id: 'controller-is-immutable', says: 'It cannot be changed', shown: refused('Value is immutable') },
  ],
  'GatewayClass spec.parametersRef': [
    {
      id: 'class-parameters-cannot-be-had',
      says: 'Parameters that cannot be honoured: Accepted False, InvalidParameters',
      shown: golden('parameters'),
    },
  ],
  'GatewayClass status.conditions': [
    { id: 'class-accepted-is-set', says: 'Accepted is set on each class of ours', shown: golden('programmed') },
    {
      id: 'supported-version',
      says: 'SupportedVersion is False beside CRDs without a bundle version or of an unknown one; service may go on',
      shown: golden('crd-versions'),
    },
  ],
  'GatewayClass status.supportedFeatures': [
    {
      id: 'features-ascend',
      says: 'Features ascend by name',
      shown: proven('src/routing/gateway/translate.test.ts', 'ascend, as the API wants them, and name each once'),
    },
  ],
  'GatewayClass metadata': [
    {
      id: 'class-finalizer',
      says: 'A class with Gateways should have the finalizer gateway-exists-finalizer',
      shown: unkept('Fairway writes statuses only; a Gateway whose class is gone is let go of, with what it served'),
    },
  ],
};

export const gatewayRules: Rules = {
  'Gateway spec.addresses': [
    { id: 'addresses', says: 'All listeners are on every address; an empty value is filled in, as is an empty list' },
    {
      id: 'address-not-assigned',
      says: 'Without an address that leads here, Programmed is False, AddressNotAssigned',
    },
    {
      id: 'addresses-are-unique',
      says: 'A value stands once',
      shown: refused('IPAddress values must be unique'),
    },
    {
      id: 'addresses-that-cannot-be-had',
      says: 'UnsupportedAddress is not accepted; AddressNotUsable is not programmed',
    },
  ],
  'Gateway spec.infrastructure': [
    { id: 'infrastructure', says: 'Labels and annotations are on all that is made for the Gateway' },
    {
      id: 'infrastructure-of-others',
      says: 'What others own is not taken over',
      shown: golden('infrastructure-of-somebody-else'),
    },
    { id: 'infrastructure-names', says: 'Names and labels fit what the API server takes' },
  ],
  'Gateway spec.infrastructure.parametersRef': [
    {
      id: 'gateway-parameters-cannot-be-had',
      says: 'Parameters that cannot be honoured: Accepted False, InvalidParameters; nothing is merged',
      shown: golden('parameters'),
    },
  ],
  'Gateway spec.allowedListeners': [
    {
      id: 'no-listener-sets-by-default',
      says: 'No ListenerSet may attach unless from says so',
      shown: golden('listener-sets-allowed-listeners'),
    },
  ],
  'Gateway spec.defaultScope': [
    {
      id: 'default-gateways',
      says: 'All claims routes that ask for a default Gateway, by the usual rules; None does not',
    },
    { id: 'no-default-gateways', says: 'Where no Gateway is a default one, a route that asks has none' },
  ],
  'Gateway spec.tls.backend.clientCertificateRef': [
    {
      id: 'client-certificate-ref',
      says: 'ResolvedRefs of the Gateway False: InvalidClientCertificateRef, or RefNotPermitted without a grant',
      shown: golden('client-certificates'),
    },
    {
      id: 'backends-see-the-client-certificate',
      says: 'It is shown to backends that a BackendTLSPolicy has TLS for, and settles nothing else',
      shown: golden('stream-backend-with-tls-policy'),
    },
  ],
  'Gateway spec.tls.frontend': [
    { id: 'validation-of-a-port-before-the-default', says: 'perPort replaces default at its port; for HTTPS alone' },
    {
      id: 'ports-with-validation-are-unique',
      says: 'A port stands once in perPort',
      shown: refused('Port for TLS configuration must be unique within the Gateway'),
    },
    {
      id: 'client-ca-refs',
      says: 'InvalidCACertificateRef, InvalidCACertificateKind, RefNotPermitted; NoValidCACertificate where all are invalid',
      shown: golden('client-certificates'),
    },
    {
      id: 'insecure-fallback-is-told',
      says: 'InsecureFrontendValidationMode is there while AllowInsecureFallback is set, and not after',
      shown: golden('client-certificates'),
    },
    {
      id: 'valid-only',
      says: 'AllowValidOnly lets in clients with a valid certificate only, and is the default',
      shown: proven('src/proxy/tls/clients.test.ts', 'need a certificate of the authority where it is required'),
    },
    {
      id: 'insecure-fallback',
      says: 'AllowInsecureFallback lets in clients with any certificate or none',
      shown: proven('src/proxy/tls/clients.test.ts', 'are let in with any or none where the fallback allows it'),
    },
  ],
  'Gateway status.addresses': [
    {
      id: 'status-addresses',
      says: 'They hold what is bound, which may differ from the spec',
      shown: golden('addresses'),
    },
    { id: 'address-by-name', says: 'A Hostname among them is one that leads here' },
  ],
  'Gateway status.conditions': [
    {
      id: 'ready-is-reserved',
      says: 'Ready is not set',
      shown: golden('programmed'),
    },
    { id: 'conditions-of-others-stay', says: 'Types that are not ours stay, in their order; ours are merged by type' },
    {
      id: 'newer-conditions-stay',
      says: 'A condition observed for a newer generation than ours is not written over',
      shown: proven('src/routing/gateway/conditions.test.ts', 'are left alone when written for a newer generation'),
    },
    {
      id: 'programmed',
      says: 'Programmed follows the data plane: Programmed, Pending, Invalid, and reasons of addresses',
    },
    {
      id: 'listeners-not-resolved',
      says: 'ResolvedRefs sums up those of listeners: ListenersNotResolved',
      shown: golden('tls-invalid'),
    },
  ],
  'Gateway status.listeners': [
    {
      id: 'overlapping-hostnames-of-tls-listeners',
      says: 'OverlappingTLSConfig is on all listeners of a port whose hostnames overlap, and is never False',
    },
    {
      id: 'port-cannot-be-opened',
      says: 'A port that cannot be had: PortUnavailable, and the listener is not programmed',
      shown: golden('port-unavailable'),
    },
  ],
  'Gateway status.listeners.supportedKinds': [
    {
      id: 'supported-kinds-are-valid-kinds',
      says: 'The valid ones of the kinds asked for, and no others',
      shown: golden('allowed-routes-kinds'),
    },
  ],
  'Gateway status.listeners.attachedRoutes': [
    {
      id: 'attached-routes-are-accepted-routes',
      says: 'Accepted routes that attach, also at listeners that are not accepted; each once',
    },
  ],
  'Gateway status.attachedListenerSets': [
    {
      id: 'attached-listener-sets-are-accepted-sets',
      says: 'Sets that are allowed, name the Gateway and are accepted',
      shown: golden('listener-sets-allowed-listeners'),
    },
  ],
};
