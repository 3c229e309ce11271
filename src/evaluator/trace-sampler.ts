import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { SluiceError } from '../base/errors.ts';

const PARENT_BASED = 'parentbased_';

/** What OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG ask for; by default what the caller's trace says, else all. Throws SLUICE_SIDECAR_ARGUMENT. */
export function samplerOf(name = 'parentbased_always_on', argument = '1'): Sampler {
  if (name.startsWith(PARENT_BASED)) {
    return new ParentBasedSampler({ root: rootOf(name.slice(PARENT_BASED.length), argument) });
  }
  return rootOf(name, argument);
}

function rootOf(name: string, argument: string): Sampler {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratioOf(argument));
    default:
      throw wrong(
        'OTEL_TRACES_SAMPLER must be always_on, always_off or traceidratio, or one of these after parentbased_',
      );
  }
}

function ratioOf(text: string): number {
  const ratio = Number(text);
  if (text.trim() === '' || !(ratio >= 0 && ratio <= 1))
    throw wrong('OTEL_TRACES_SAMPLER_ARG must lie between 0 and 1');
  return ratio;
}

const wrong = (message: string): SluiceError => new SluiceError('SLUICE_SIDECAR_ARGUMENT', message);
