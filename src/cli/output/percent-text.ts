/** The few conversions of Python's % that progress messages use: %s, %d, %5.1f, %3.0f and %%. */
export function percentFormat(template: string, values: readonly (number | string)[]): string {
  let next = 0;
  return template.replaceAll(
    /%(?:%|(\d*)(?:\.(\d+))?([sdf]))/g,
    (whole, width?: string, precision?: string, kind?: string) => {
      if (whole === '%%') return '%';
      const value = values[next++];
      if (value === undefined) return '';
      const text =
        kind === 'f'
          ? Number(value).toFixed(precision === undefined ? 6 : Number(precision))
          : kind === 'd'
            ? String(Math.trunc(Number(value)))
            : String(value);
      return text.padStart(Number(width ?? 0));
    },
  );
}

/** By how many percent a progress advances between two lines. */
export function percentStep(msgid: string, template: string): number {
  if (msgid === 'repository.compact_segments') return 1;
  if (msgid === 'cache.sync') return 0.1;
  const decimals = Number(/%\d*\.(\d+)f/.exec(template)?.[1] ?? 0);
  return decimals === 0 ? 5 : 10 ** -decimals;
}
