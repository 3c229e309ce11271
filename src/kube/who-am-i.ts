import type { CallOptions, KubeClient } from './client.ts';

interface SelfSubjectReview {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}

/** The user that the API server takes this client for; undefined where it does not say. Fails as any call does. */
export async function whoAmI(client: Pick<KubeClient, 'raw'>, options: CallOptions): Promise<string | undefined> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const review = (await client.raw({ method: 'POST', path, body }, options)) as SelfSubjectReview;
  return review.status?.userInfo?.username;
}
