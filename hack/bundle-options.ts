/** How all our programs are bundled: for a bare Node 24, readable in a stack trace. */
export const bundleOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // A process holds its source in memory, and a single character beyond Latin-1 in a comment doubles it: 9 MB of 12.
  minifyWhitespace: true,
  lineLimit: 160,
} as const;
