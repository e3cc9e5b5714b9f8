/** How the page of a directory looks: the reader's own font, light or dark as the system is. */
export const LISTING_STYLE = `
:root {
  color-scheme: light dark;
  --ink: #1d2125; --dim: #5f6b76; --paper: #fff; --line: #e3e7eb; --hover: #f3f6f9; --link: #0b57b0; --up: #5f6b76;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7ea; --dim: #9aa5b0; --paper: #16191d; --line: #2b3138; --hover: #1e2329; --link: #7db4ff; --up: #9aa5b0; }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 64rem; padding: 1.5rem 1rem 3rem;
  color: var(--ink); background: var(--paper);
  font: 0.9375rem/1.45 system-ui, sans-serif;
}
a { color: var(--link); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
header { display: flex; flex-wrap: wrap; gap: 0.75rem 1.5rem; align-items: baseline; justify-content: space-between; padding: 0 0.5rem; }
nav { font-size: 1.125rem; overflow-wrap: anywhere; }
nav span { margin: 0 0.35em; color: var(--dim); }
.tar { border: 1px solid var(--line); border-radius: 0.4rem; padding: 0.3rem 0.75rem; white-space: nowrap; }
.tar:hover { background: var(--hover); text-decoration: none; }
table { width: 100%; margin-top: 1rem; border-collapse: collapse; }
th, td { padding: 0.35rem 0.5rem; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th { color: var(--dim); font-size: 0.8125rem; font-weight: 600; white-space: nowrap; }
th a { color: inherit; }
th[aria-sort="ascending"] a::after { content: " \\2191"; }
th[aria-sort="descending"] a::after { content: " \\2193"; }
td:first-child { overflow-wrap: anywhere; }
th:nth-child(2), td:nth-child(2), td:nth-child(3), th:nth-child(3) {
  text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums;
}
td:nth-child(2), td:nth-child(3), small { color: var(--dim); }
tbody tr:hover { background: var(--hover); }
.directory a { font-weight: 600; }
.up a { color: var(--up); }
.lost { color: var(--dim); }
footer { margin: 0.75rem 0.5rem; color: var(--dim); font-size: 0.8125rem; }
@media (max-width: 34rem) {
  thead th:nth-child(3), td:nth-child(3) { display: none; }
}
`;
