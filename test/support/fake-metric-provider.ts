import type { Answer, MetricProvider, MetricRequest } from '../../src/providers/provider.ts';

interface Asked {
  readonly request: MetricRequest;
  readonly answer: (answer: Answer) => void;
  withdrawn: boolean;
}

/** A provider that answers only when the test says so, and keeps what it was asked. */
export class FakeMetricProvider implements MetricProvider {
  readonly asked: Asked[] = [];

  query(request: MetricRequest, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked: Asked = { request, answer: resolve, withdrawn: false };
      this.asked.push(asked);
      signal.addEventListener('abort', () => {
        asked.withdrawn = true;
        reject(signal.reason);
      });
    });
  }

  get texts(): string[] {
    return this.asked.map(({ request }) => request.text);
  }
}
