/** Label selectors as a query parameter; the grammar lives with the Kubernetes vocabulary. */
export { type LabelPredicate, parseLabelSelector } from '../../kube/label-selector.ts';
