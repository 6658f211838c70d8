/** Rules that all kinds of routes have in common: parents, status, weights. */
import { golden, proven, type Rules, refused } from './rule.ts';

export const attachmentRules: Rules = {
  'HTTPRoute spec.parentRefs': [
    { id: 'each-parent-ref-by-itself', says: 'Each parentRef is judged and told of by itself' },
    {
      id: 'parent-refs-of-one-parent-differ',
      says: 'Several to one parent set the same of sectionName and port, to different values',
      shown: refused(
        'sectionName or port must be unique when parentRefs includes 2 or more references to the same parent',
      ),
    },
    {
      id: 'foreign-parents-are-left-alone',
      says: 'Parents that are not ours, or not there, get no status of ours',
      shown: golden('parent-refs'),
    },
  ],
  'HTTPRoute spec.parentRefs.namespace': [
    { id: 'parents-elsewhere-need-no-grant', says: 'allowedRoutes alone permits parents in other namespaces' },
  ],
  'HTTPRoute spec.parentRefs.sectionName': [
    { id: 'one-listener-is-enough', says: 'A route that one listener of several takes is attached' },
    {
      id: 'section-name-selects',
      says: 'It selects the listener of the name; none such is NoMatchingParent',
      shown: golden('parent-refs'),
    },
  ],
  'HTTPRoute spec.parentRefs.port': [
    {
      id: 'section-name-and-port-both-match',
      says: 'It selects the listeners of the port; beside sectionName both have to match',
      shown: golden('parent-refs'),
    },
  ],
  'HTTPRoute spec.useDefaultGateways': [
    {
      id: 'default-gateways-of-a-route',
      says: 'All attaches to each default Gateway that allows it; None, as nothing, to none',
      shown: golden('default-gateways'),
    },
  ],
  'HTTPRoute status.parents': [
    {
      id: 'parents-of-others-stay',
      says: 'Entries with another controllerName are not touched; those of ours that are of no use go',
      shown: golden('status-of-others'),
    },
    {
      id: 'no-more-than-32-parents',
      says: 'There are 32 entries at most',
      shown: proven(
        'src/routing/gateway/resolved.test.ts',
        'shows no more parents in the status of a route than it may hold, and leaves those of others where they are',
      ),
    },
  ],
  'HTTPRoute status.parents.conditions': [
    {
      id: 'accepted-by-one-rule',
      says: 'A route is accepted when one rule of it is carried out',
      shown: golden('partially-invalid-is-in-part'),
    },
    { id: 'partially-invalid-is-in-part', says: 'PartiallyInvalid, Dropped Rule: for accepted routes, and only True' },
    {
      id: 'not-allowed-by-listeners',
      says: 'NotAllowedByListeners: kinds or namespaces; NoMatchingListenerHostname; NoMatchingParent',
      shown: golden('one-listener-is-enough'),
    },
    {
      id: 'unknown-values-are-unsupported',
      says: 'Values of an enum that are not known: UnsupportedValue, and no crash',
      shown: golden('unsupported-values'),
    },
  ],
  'HTTPRoute spec.rules.backendRefs.weight': [
    { id: 'weights-are-shares', says: 'Weight in the sum of weights; 1 by default; none for 0; all for one alone' },
    {
      id: 'weights-are-exact',
      says: 'Shares are as given, but for what cannot be divided',
      shown: proven(
        'src/proxy/upstream/splitter.test.ts',
        'never strays from its shares by more than the number of shares',
      ),
    },
  ],
};
