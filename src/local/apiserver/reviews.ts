/** Questions about access. The local cluster has one user who may do everything, and says so. */
import { fieldOf, isObject, type JsonObject } from '../../kube/patch/json.ts';
import { readObject } from './body.ts';
import { type Call, found, type Reply, refuse, type ServerContext } from './call.ts';
import { badRequest } from './status.ts';
import type { ReviewKind } from './subresources.ts';

const user: JsonObject = { username: 'fairway:local', groups: ['system:masters', 'system:authenticated'] };
const allowed: JsonObject = { allowed: true, reason: 'the local cluster has no access control' };

const rules: JsonObject = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  incomplete: false,
};

const answers: Record<string, (spec: JsonObject) => JsonObject> = {
  TokenReview: (spec) => ({ authenticated: typeof spec.token === 'string' && spec.token !== '', user }),
  SelfSubjectReview: () => ({ userInfo: user }),
  LocalSubjectAccessReview: () => allowed,
  SelfSubjectAccessReview: () => allowed,
  SelfSubjectRulesReview: () => rules,
  SubjectAccessReview: () => allowed,
};

export async function answerReview(context: ServerContext, call: Call, review: ReviewKind): Promise<Reply> {
  const body = await readObject(call.request, context.limits);
  if (!body.ok) return refuse(body.error);
  const { kind, group, version } = review;
  if ((body.value.kind ?? kind) !== kind)
    return refuse(badRequest(`${String(body.value.kind)} cannot be handled as a ${kind}`));
  const spec = fieldOf(body.value, 'spec');
  const status = answers[kind]!(isObject(spec) ? spec : {});
  return found({ ...body.value, kind, apiVersion: `${group}/${version}`, status }, [], 201);
}
