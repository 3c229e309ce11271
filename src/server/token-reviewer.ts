import { z } from 'zod';
import type { EpochMs } from '../base/units.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Identity, Reviewer } from '../rulesets/authoriser.ts';

/** What the token of an evaluator must be made for: one that was stolen opens nothing else. */
export const AUDIENCE = 'sluice';

const HOME = /^system:serviceaccount:([^:]+):[^:]+$/;
const POD = 'authentication.kubernetes.io/pod-name';

const tokenReviewSchema = z.object({
  status: z.object({
    authenticated: z.boolean().optional(),
    audiences: z.array(z.string()).optional(),
    user: z
      .object({
        username: z.string().optional(), // of a token that is not good, the user is empty
        uid: z.string().optional(),
        groups: z.array(z.string()).optional(),
        extra: z.record(z.string(), z.array(z.string())).optional(),
      })
      .optional(),
  }),
});
const accessReviewSchema = z.object({ status: z.object({ allowed: z.boolean() }) });
const claimsSchema = z.object({ exp: z.number().positive() });

/** Asks the API server: TokenReview for who it is, SubjectAccessReview for `get` on the virtual resource rulesets.sluice.dev. */
export function tokenReviewer(client: Pick<KubeClient, 'raw'>): Reviewer {
  return {
    identify: async (token, signal) => {
      const answer = await client.raw(
        {
          method: 'POST',
          path: '/apis/authentication.k8s.io/v1/tokenreviews',
          body: {
            apiVersion: 'authentication.k8s.io/v1',
            kind: 'TokenReview',
            spec: { token: token.reveal(), audiences: [AUDIENCE] },
          },
        },
        { signal },
      );
      const { authenticated, audiences, user } = tokenReviewSchema.parse(answer).status;
      // An API server that knows nothing of audiences answers none.
      if (!authenticated || !user?.username || !audiences?.includes(AUDIENCE)) return undefined;
      const expiresAt = expiryOf(token.reveal());
      return expiresAt === undefined ? undefined : identityOf(user.username, user, expiresAt);
    },

    mayRead: async ({ user, uid, groups, extra }, flagSetId, signal) => {
      const resourceAttributes = { namespace: flagSetId, verb: 'get', group: 'sluice.dev', resource: 'rulesets' };
      const answer = await client.raw(
        {
          method: 'POST',
          path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SubjectAccessReview',
            spec: { user, uid, groups, extra, resourceAttributes },
          },
        },
        { signal },
      );
      return accessReviewSchema.parse(answer).status.allowed;
    },
  };
}

type ReviewedUser = NonNullable<z.output<typeof tokenReviewSchema>['status']['user']>;

function identityOf(username: string, { uid, groups = [], extra = {} }: ReviewedUser, expiresAt: EpochMs): Identity {
  return { user: username, uid, groups, extra, home: HOME.exec(username)?.[1], pod: extra[POD]?.[0], expiresAt };
}

/** Of a token that the API server has vouched for: no signature is checked here. Undefined for what is no JWT. */
function expiryOf(token: string): EpochMs | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const { data } = claimsSchema.safeParse(claims);
    return data && ((data.exp * 1000) as EpochMs);
  } catch {
    return undefined;
  }
}
