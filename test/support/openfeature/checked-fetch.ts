import { expectOfrep } from '../ofrep.ts';

/** A fetch that holds every answer of OFREP's evaluation endpoints to its document, and how many it has seen. */
export interface CheckedFetch {
  readonly fetch: typeof fetch;
  readonly problems: readonly string[];
  readonly answers: () => number;
}

export function checkedFetch(): CheckedFetch {
  const problems: string[] = [];
  let answers = 0;
  return {
    problems,
    answers: () => answers,
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      const { pathname, search } = new URL(input instanceof Request ? input.url : String(input));
      if (pathname.startsWith('/ofrep/v1/evaluate/')) {
        answers++;
        const problem = await problemOf(`${pathname}${search}`, response.clone());
        if (problem !== undefined) problems.push(`${pathname}: ${problem}`);
      }
      return response;
    },
  };
}

async function problemOf(path: string, response: Response): Promise<string | undefined> {
  const text = await response.text();
  try {
    const headers = Object.fromEntries(response.headers);
    expectOfrep(path, { status: response.status, headers, body: text === '' ? undefined : JSON.parse(text) });
    return undefined;
  } catch (error) {
    return String(error);
  }
}
