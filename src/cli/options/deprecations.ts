/** Spellings that go on to work, with a warning. Source: Borg 1.4.5 archiver.py, preprocess_args. */
const deprecations: Readonly<Record<string, string>> = {
  '--noatime': 'Warning: "--noatime" has been deprecated because it is the default now.',
  '--nobsdflags': 'Warning: "--nobsdflags" has been deprecated. Use --noflags instead.',
  '--numeric-owner': 'Warning: "--numeric-owner" has been deprecated. Use --numeric-ids instead.',
  '--remote-ratelimit': 'Warning: "--remote-ratelimit" has been deprecated. Use --upload-ratelimit instead.',
  '--remote-buffer': 'Warning: "--remote-buffer" has been deprecated. Use --upload-buffer instead.',
  '--prefix': 'Warning: "--prefix" has been deprecated. Use "--glob-archives \'yourprefix*\'" (-a) instead.',
  '--sort': 'Warning: "--sort" is deprecated. Use "--sort-by=path" instead.',
};

/** The warnings about what was typed, in its order. Abbreviations get none. */
export function deprecationsIn(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  return words.flatMap((word) => {
    const flag = word.split('=', 1)[0]!;
    return isDeprecated(flag) ? deprecations[flag]! : [];
  });
}

export function isDeprecated(flag: string): boolean {
  return Object.hasOwn(deprecations, flag);
}
