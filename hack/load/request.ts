import type { ClientKind, Outcome } from './outcome.ts';

/** Where the gateway (or the app itself) listens. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface ShopRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

/** What sends the requests of one virtual client. */
export interface Sender {
  /** Sends now. `done` hears of the end at least once (only the first counts); the answer is a function that cancels. */
  send(request: ShopRequest, done: (outcome: Outcome) => void): () => void;
  /** Closes its connections, those in use too. */
  close(): void;
}

const ITEMS = ['anchor', 'buoy', 'compass', 'davit', 'ensign'] as const;

/** The `n`-th request of a group: reads of catalog and items, carts for `post`, one cart in four for `http2`. */
export function requestOf(kind: ClientKind, n: number): ShopRequest {
  const item = ITEMS[n % ITEMS.length];
  if (kind === 'post' || (kind === 'http2' && n % 4 === 3)) {
    return {
      method: 'POST',
      path: '/cart',
      body: JSON.stringify({ item, quantity: 1 + (n % 3), note: 'gift '.repeat(20) }),
    };
  }
  return { method: 'GET', path: n % 4 === 0 ? '/catalog' : `/item/${item}` };
}
