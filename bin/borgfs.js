// Where bin/alcove goes when it was started under the name borgfs: the name of the file tells the program.
import './alcove.js';
