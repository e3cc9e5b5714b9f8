import { remoteConformance } from './remote-conformance.ts';
import { ALCOVE_SERVER } from './remote-place.ts';

remoteConformance('RemoteRepository with a server of this project', ALCOVE_SERVER, { modelRuns: 3 });
