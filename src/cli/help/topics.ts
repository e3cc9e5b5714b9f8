/** Texts of `alcove help TOPIC`. */
export interface Topic {
  readonly brief: string;
  readonly text: string;
}

const patterns = `
Patterns say which files a command is about: which ones a backup leaves out, which ones come back with "extract".
They are matched against paths as the archive has them: without a slash in front, and without "." and ".." at the
beginning. A backup of /home/anna has paths such as "home/anna/notes.txt".

A pattern may begin with its style and a colon.

  fm:   shell-like, "*" also matches "/" (the style of --exclude)
  sh:   shell-like, "*" stops at "/", "**/" matches any number of directories
        (the style of --pattern and of pattern files)
  re:   a regular expression, found anywhere in the path
  pp:   a path and all below it (the style of PATH arguments)
  pf:   exactly this path; fast, also with very many of them

In fm: and sh:, "?" is any character, "[ab]" one of these, "[!ab]" none of these.

--exclude PATTERN leaves out what matches, and does not look inside of directories that match. --pattern takes a
letter in front of the pattern:

  +  include
  -  leave out, but look inside of directories for what another pattern includes
  !  leave out, and do not look inside
  R  the rest is a path to back up
  P  the rest is the style of the patterns that follow (only in a file)

The first pattern that matches a path decides; the order is that of the command line. What no pattern matches is
included, or, where PATH arguments were given, left out. --exclude-from and --patterns-from read patterns from a
file, one a line; empty lines and lines that begin with # are skipped.

  alcove create --exclude '*.o' --exclude 'home/*/.cache' REPO::ARCHIVE /home
  alcove create --pattern '+ home/anna/keep' --pattern '- home/anna' REPO::ARCHIVE /home
  alcove extract REPO::ARCHIVE home/anna 're:\\.txt$'
`;

const placeholders = `
Names in braces stand for values in names of repositories and archives, in prefixes, globs and comments.

  {hostname}      name of the machine
  {fqdn}          its full name; {reverse-fqdn} the same, parts reversed
  {user}          name of the user
  {now}           local time, {now:%Y-%m-%d} with a format of strftime
  {utcnow}        the same in UTC
  {unixtime}      seconds since 1970
  {uuid4}         a random UUID
  {pid}           number of the process
  {borgversion}   the version of Borg that this program speaks; also {borgmajor},
                  {borgminor} and {borgpatch}

Double a brace that is meant as it is: {{ and }}. In crontabs, "%" has to be written as "\\%".

  alcove create REPO::{hostname}-{now:%Y-%m-%d} ~/Documents
`;

const compression = `
Data is compressed before it is encrypted. --compression applies to what is new; what the repository has stays as it
is. Whatever was used can always be read.

  none             as it is
  lz4              very fast, small effect (the default)
  zstd[,L]         fast to strong, L from 1 to 22, default 3
  zlib[,L]         medium, L from 0 to 9, default 6
  lzma[,L]         slow and strong, L from 0 to 9, default 6; above 6 it only
                   takes longer
  auto,C[,L]       looks with lz4 whether data compresses at all, then uses C
  obfuscate,S,C    hides the size of what C made. S from 1 to 6: makes it larger
                   by a random factor, mostly small, at most 10^(S+1). S from
                   110 to 123: adds up to 2^(S-100) random bytes. S = 250: fills
                   up to the next of a few sizes, at most 12% more

  alcove create --compression zstd,10 REPO::ARCHIVE ~/Documents
  alcove create --compression auto,lzma REPO::ARCHIVE ~/Documents
`;

export const topics: Readonly<Record<string, Topic>> = {
  compression: { brief: 'how data is made smaller', text: compression },
  patterns: { brief: 'which files a command is about', text: patterns },
  placeholders: { brief: 'names in braces, e.g. {hostname}', text: placeholders },
};
