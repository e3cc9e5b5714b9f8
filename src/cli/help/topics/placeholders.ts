/** Source: Borg 1.4.5 archiver.py, helptext['placeholders'], and helpers/parseformat.py, replace_placeholders. */
import type { Topic } from './topic.ts';

export const placeholders: Topic = {
  name: 'placeholders',
  brief: 'names in braces, e.g. {hostname}',
  text: `
Names in braces stand for values: in the names of repositories and archives, and in the values of --glob-archives,
--prefix, --comment and --remote-path.

  {hostname}      name of the machine
  {fqdn}          its full name
  {reverse-fqdn}  its full name with the parts reversed, such as com.example.laptop
  {user}          name of the user who runs it; the number, where there is no name
  {pid}           number of the process
  {now}           local time, such as 2026-11-22T14:43:50
  {utcnow}        the same in UTC
  {unixtime}      seconds since 1970
  {uuid4}         a random UUID
  {borgversion}   version of Borg that is spoken, such as 1.4.5
  {borgmajor}     its first part, such as 1
  {borgminor}     its first two parts, such as 1.4
  {borgpatch}     its three parts, such as 1.4.5

{now} and {utcnow} take a format of strftime behind a colon: {now:%Y-%m-%d_%H:%M}.

A brace that is meant as it is, is doubled: "{{" and "}}".

In crontabs, "%" ends the command: write "\\%". In unit files of systemd, write "%%".

# Examples

    alcove create REPO::'{hostname}-{now:%Y-%m-%d}' ~/Documents
    alcove create REPO::'{hostname}-{user}-{utcnow}' ~/Documents
    alcove prune --glob-archives '{hostname}-*' --keep-daily 7 REPO
    alcove create REPO::'{{braces}}' ~/Documents
`,
};
