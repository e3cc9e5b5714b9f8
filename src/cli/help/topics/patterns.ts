/** Source: Borg 1.4.5 archiver.py, helptext['patterns'], and patterns.py. */
import type { Topic } from './topic.ts';

export const patterns: Topic = {
  name: 'patterns',
  brief: 'which files a command is about',
  text: `
Patterns say which files a command is about: which ones a backup leaves out, which ones come back with "extract".

They are matched against paths as the archive has them: without a slash in front, and without "." and ".." at the
beginning. A backup of /home/anna has paths such as "home/anna/notes.txt", one of ./src or ../../src has "src/main.c".
Where a part of the path is cut off by "/./", patterns still see the whole path: in a backup of /mnt/snapshot/./home they
match "mnt/snapshot/home/anna".

Put patterns into quotes, or the shell expands them. Look what they do, without a backup, with "alcove create --dry-run
--list".

# Styles

A pattern may begin with its style and a colon, as in "re:\\.o$".

  fm:  shell-like; "*" also matches "/". The style of --exclude and --exclude-from.
  sh:  shell-like; "*" stops at "/", and "**/" is any number of directories, also none. The style of --pattern and
       --patterns-from.
  re:  a regular expression, found anywhere in the path; tie it to the start by "^" and to the end by "$".
  pp:  a path and all below it. The style of PATH arguments.
  pf:  exactly this path.

In fm: and sh:, "?" is any character, "[ab]" or "[a-z]" one of these, and "[!ab]" none of these; "[?]" is a question mark
itself. These patterns match a whole path, or its beginning up to a slash: what is below a directory that matches,
matches too. A slash at the end makes it match what is in the directory, not the directory itself: "home/anna/.cache/"
keeps the directory and leaves it empty. A slash in front is ignored.

pf: is a look-up, fast with any number of such patterns. It comes before all other patterns, whatever the order.

Where people whom you don't trust may give patterns, don't take re: from them, and only few wildcards: some patterns take
almost for ever to match.

# Leaving out

--exclude PATTERN leaves out what matches, and does not look into directories that match. --exclude-from FILE reads such
patterns from a file, one a line. Empty lines and lines that begin with "#" are skipped, and so is white space around a
pattern: a path that begins or ends in a space needs a regular expression. There is no shell in between, so lines need no
quotes.

  '*.o'                 files that end in .o, in any directory
  'home/*/junk'         /home/anna/junk, also /home/anna/old/junk, but not /etc/junk
  'sh:home/*/junk'      /home/anna/junk, but not /home/anna/old/junk
  'sh:**/node_modules'  node_modules anywhere
  're:^home/[^/]+\\.tmp/'  what is in directories of /home whose names end in .tmp
  'home/anna/.cache/'   what is in this directory

A PATH argument is left out, too, where an exclude pattern matches it.

# Taking in and leaving out

--pattern has a letter in front of the pattern, and --patterns-from FILE reads such lines from a file:

  +  take in
  -  leave out, but look into directories for what another pattern takes in
  !  leave out, and do not look into directories
  R  not a pattern, but a path to back up, as a PATH argument
  P  the style (fm, sh, re, pp or pf) of the patterns that follow, to the end of this file; only in a file

The first pattern that matches a path decides. They stand in the order of the command line, --exclude and what files give
included. What no pattern matches is taken in, or, where "extract" and its like were given PATHs, left out.

A file may be taken in although its parent directory is not: then the archive does not know the owner and the rights of
the parent.

Write --pattern='- home/anna' or --pattern=-home/anna: with the equals sign the value can't be taken for an option.

# Examples

    alcove create --exclude '*.o' --exclude 'home/*/.cache' REPO::ARCHIVE /home
    alcove create --pattern='+ pics/2018/good' --pattern='- pics/2018' REPO::ARCHIVE pics
    alcove create --patterns-from rules REPO::ARCHIVE
    alcove extract REPO::ARCHIVE home/anna 're:\\.txt$'

A file "rules" for the third:

    # what to back up
    R /
    # whatever the directory
    - **/*.iso
    # one directory of each user
    - home/*/.cache
    # two users, and a single file of a third
    + home/anna
    + home/susan
    + pf:home/bob/thesis.odt
    - home/*
    # not even looked into
    ! re:^(dev|proc|run|sys|tmp)
`,
};
