/** Source: Borg 1.4.5 archiver.py, helptext['compression'], and compress.pyx. */
import type { Topic } from './topic.ts';

export const compression: Topic = {
  name: 'compression',
  brief: 'how data is made smaller',
  text: `
Data is cut into chunks; what the repository does not have yet is compressed, and then encrypted. Chunks are told apart
by what they were before, so one repository can hold all kinds, and backups that are compressed in different ways share
their data. Whichever stores a chunk first decides how it is compressed: to change that for chunks that are there, see
"alcove help recreate". Whatever was used can always be read.

# Kinds

  none            as it is
  lz4             very fast, small effect; the default
  zstd[,L]        from fast to strong: L from 1 to 22, default 3. Borg before 1.1.4 can't read it.
  zlib[,L]        medium speed and effect: L from 0 to 9, default 6. 0 only adds some bytes; use none instead.
  lzma[,L]        slow and strong: L from 0 to 9, default 6. Above 6 it takes more time and memory for nothing, since
                  chunks are smaller than what it could look back to.
  auto,C[,L]      tries for each chunk by lz4 whether it compresses at all: if so it uses C, which is one of the above,
                  if not, none. Good where there are pictures, films and archives among other files.
  obfuscate,S,C   compresses by C, which may be any of the above, and hides the size of the result as S says.

# Hiding sizes

The sizes of chunks tell something about files: who knows a file can guess whether it is in the repository. "obfuscate"
makes chunks larger by bytes that mean nothing. It is of use only with encryption, and it takes space. No chunk gets
larger than about 20 MiB.

S from 1 to 6 adds a random multiple of the compressed size, small ones much more often than large ones:

  1  0.01 to 100 times; in 90 of 100 cases at most 0.1, in 99 of 100 at most 1 time
  2  0.1 to 1,000 times
  3  1 to 10,000 times
  4  10 to 100,000 times
  5  100 to 1,000,000 times
  6  1,000 to 10,000,000 times

S from 110 to 123 adds a random number of bytes, up to 2^(S-100): 1 KiB for 110, 1 MiB for 120, 8 MiB for 123.

S = 250 fills up to the next of a few sizes, always in the same way (Padmé): at most 12 % more.

# Examples

    alcove create --compression zstd,10 REPO::ARCHIVE ~/Documents
    alcove create --compression auto,lzma,6 REPO::ARCHIVE ~/Pictures
    alcove create --compression obfuscate,110,none REPO::ARCHIVE ~/Documents
    alcove create --compression obfuscate,3,auto,zstd,10 REPO::ARCHIVE ~/Documents
`,
};
