import { remoteConformance } from '../remote/remote-conformance.ts';

const reference = process.env['ALCOVE_REFERENCE_BORG'];
if (!reference) throw new Error('set ALCOVE_REFERENCE_BORG to the command of a Borg 1.4');
remoteConformance("RemoteRepository with the reference's server", reference, {
  modelRuns: 1,
});
