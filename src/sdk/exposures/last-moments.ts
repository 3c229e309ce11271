/** When it may be too late soon, as a port. */
export interface LastMoments {
  /** Calls `run` whenever the page is hidden: nothing is sure to run after that. Answers a function that ends it. */
  onPageHidden(run: () => void): () => void;
  /** Calls `run` once when the process has nothing left to do; what it starts is waited for. */
  onProcessIdle(run: () => void): () => void;
}

interface Target {
  addEventListener(type: string, run: () => void): void;
  removeEventListener(type: string, run: () => void): void;
}

/** What this place has of a browser and of Node. */
const here = globalThis as {
  document?: Target & { readonly visibilityState: string };
  window?: Target;
  process?: { once?(event: string, run: () => void): void; off?(event: string, run: () => void): void };
};

export const lastMoments: LastMoments = {
  onPageHidden(run) {
    const { document, window } = here;
    const changed = () => {
      if (document?.visibilityState === 'hidden') run();
    };
    // Phones end pages that were only hidden; some browsers close tabs with `pagehide` alone.
    document?.addEventListener('visibilitychange', changed);
    window?.addEventListener('pagehide', run);
    return () => {
      document?.removeEventListener('visibilitychange', changed);
      window?.removeEventListener('pagehide', run);
    };
  },
  onProcessIdle(run) {
    here.process?.once?.('beforeExit', run);
    return () => here.process?.off?.('beforeExit', run);
  },
};
