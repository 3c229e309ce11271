import fc from 'fast-check';

// The same cases in every run, so that a red run means a change and not a lucky draw. `SLUICE_SEED=1234` tries others.
fc.configureGlobal({ seed: Number(process.env.SLUICE_SEED ?? 20_261_121) });
