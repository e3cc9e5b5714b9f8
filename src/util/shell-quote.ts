/** Shell words as Python's shlex writes them. */

const unsafe = /[^\w@%+=:,./-]/;

/** The word, in single quotes where a shell would not take it as it is. */
export function quoteShellWord(word: string): string {
  if (word === '') return "''";
  return unsafe.test(word) ? `'${word.replaceAll("'", `'"'"'`)}'` : word;
}

export function joinShellWords(words: Iterable<string>): string {
  return Array.from(words, quoteShellWord).join(' ');
}
